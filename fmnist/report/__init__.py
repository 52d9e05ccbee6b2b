"""The report of 2020 beside what the runs of today say, as one page."""
