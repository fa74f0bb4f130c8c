"""The WebSocket side of the simulator: subscriptions, snapshots, ticks and how they fail."""
