"""A real HTTP server that speaks Upbit's quotation REST, for the demo, tests and benchmarks.

`with Simulator() as sim:` serves at `sim.url`. Its faults: app.simulator.faults, docs/simulator.md.
"""

from app.simulator.simulator import Simulator, run

__all__ = ["Simulator", "run"]
