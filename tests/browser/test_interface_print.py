"""The interface document as the supplier gets it: printed, a page for the rules, one for the header, one for each telegram."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any


def test_the_interface_document_prints_one_page_a_telegram(visit: Callable[..., Any]) -> None:
    seen = visit("CLD", "engineer.cld")
    page = seen.open("/level2/links/CLD-PL/interface")
    telegrams = page.locator("section.sheet h2 .code").all_inner_texts()
    assert "PL1030" in telegrams
    pdf = page.pdf(format="A4", landscape=True)
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == 2 + len(telegrams)
