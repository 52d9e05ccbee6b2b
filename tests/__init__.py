"""The tests, and the check of every annotated value that pytest puts on the packages."""

from beartype import BeartypeConf, beartype

checked = beartype(conf=BeartypeConf(is_pep484_tower=True))  # an int will do for a float
