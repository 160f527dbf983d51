"""How a connector is tested: the contract suite, and what it takes to run it.

`description`, `reading` and `writing` hold the suite, `bench` what a test has to know about a
store, `contents` records to send, `faults` a proxy that breaks requests. `plugin` is what pytest
loads. All of it needs the extra `recent-sync[testing]`; nothing that runs in service imports it.
"""
