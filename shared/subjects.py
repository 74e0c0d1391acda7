"""All subjects whose facts become rows, in one list: the same at plants, at the hub and in a rebuild."""

from __future__ import annotations

from shared.centre import projection as centre
from shared.journal import discard
from shared.material import projection as material
from shared.orders import projection as orders
from shared.outside import projection as outside
from shared.passports import projection as passports
from shared.performance import projection as performance
from shared.quality import projection as quality
from shared.setpoints import projection as setpoints
from shared.standards import projection as standards
from shared.stock import projection as stock
from shared.tasks import projection as tasks
from shared.transfers import projection as transfers

REGISTERS = (
    material.register,
    quality.register,
    transfers.register,
    outside.register,
    performance.register,
    orders.register,
    standards.register,
    stock.register,
    setpoints.register,
    tasks.register,
    passports.register,
    centre.register,
    discard.register,
)
