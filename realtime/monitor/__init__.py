"""The ward's page: MQTT in, server-sent events out, in a process of its own that no session depends on."""
