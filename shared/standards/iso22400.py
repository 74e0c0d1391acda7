"""The KPIs of ISO 22400-2:2014 by name, with the elements their formulas speak of.

From the public ontology of the standard (github.com/hsu-aut/IndustrialStandard-ODP-ISO22400-2, MIT). A KPI that is
made of others (OEE, NEE) names the elements of those.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

ELEMENTS_OF: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "ActualToPlannedScrapRatio": ("PSQ", "SQ"),
        "AllocationEfficiency": ("AUBT", "PBT"),
        "AllocationRatio": ("AOET", "AUBT"),
        "Availability": ("APT", "PBT"),
        "ComprehensiveEnergyConsumption": ("E", "PQ"),  # E: the energy itself, which the ontology leaves unnamed
        "CorrectiveMaintenanceRatio": ("CMT", "PMT"),
        "CriticalMachineCapabilityIndex": ("X_", "LSL", "S", "USL"),
        "CriticalProcessCapabilityIndex": ("X__", "LSL", "USL", "SIGMA_SQUARE"),
        "Effectiveness": ("APT", "PRU", "PQ"),
        "EquipmentLoadRate": ("EPC", "PQ"),
        "FallOfRatio": ("PQ", "SQ"),
        "FinishedGoodsRatio": ("CM", "GQ"),
        "FirstPassYield": ("GP", "IP"),
        "IntegratedGoodsRatio": ("CM", "IGQ"),
        "InventoryTurns": ("X_", "CI", "FGI", "RMI", "WIP"),
        "MachineCapabilityIndex": ("LSL", "S", "USL"),
        "MeanOperationTimeBetweenFailures": ("FE", "TBF"),
        "MeanTimeToFailure": ("FE", "TTF"),
        "MeanTimeToRestoration": ("FE", "TTR"),
        "NetEquipmentEffectiveness": ("AUPT", "PBT", "PRU", "PQ", "APT", "GQ"),
        "OtherLossRatio": ("CM", "OL"),
        "OverallEquipmentEffectiveness": ("APT", "PBT", "PRU", "PQ", "GQ"),
        "ProcessCapabilityIndex": ("LSL", "USL", "SIGMA_SQUARE"),
        "ProductionLossRatio": ("CM", "PL"),
        "ProductionProcessRate": ("AOET", "APT"),
        "QualityRatio": ("GQ", "PQ"),
        "ReworkRatio": ("PQ", "RQ"),
        "ScrapRatio": ("PQ", "SQ"),
        "SetUpRate": ("ASUT", "AUPT"),
        "StorageAndTransportationLossRatio": ("CM", "STL"),
        "TechnicalEfficiency": ("APT", "ADET"),
        "ThroughputRate": ("AOET", "PQ"),
        "UtilizationEfficiency": ("APT", "AUBT"),
        "WorkerEfficiency": ("APAT", "APWT"),
    }
)
