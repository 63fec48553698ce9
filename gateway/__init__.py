"""How browsers connect: the gate, WebSocket sessions, the hub that reaches them, and the limits on all of it.

The ground floor. It knows nothing of readers, counts or announcements: the rooms above tell the front desk
(:mod:`gateway.desk`) what the first frame says and who listens to what a browser sends.
"""
