"""The figures of `make bench`: the whole product at work on loopback hosts, beside the bare connector in one run."""
