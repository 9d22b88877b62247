"""Long work cut into units: their addresses, the store that keeps what they give, and the engines that compute them.

A unit is a pure function of its address, and what it gives is kept as soon as it is there. So whatever is interrupted
goes on where it was. Read in this order: addresses, store, kept_units, guidance_units, map_units, region_units,
atlas_units, tasks, engines, local, host.
"""
