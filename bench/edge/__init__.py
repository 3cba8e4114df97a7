"""The edge beside Kamailio and bare echoes: calls a second, latency, and what disturbs them.

`python -m bench.edge` prints one table; `--quick` is a look of a minute. The load generator and the
echoes are C (`generate.c`, `echo.c`), built at first use.
"""
