"""``report.html``: a run's tables as one page that needs nothing but itself."""

from deltacheck.bench.page.write import write_page

__all__ = ["write_page"]
