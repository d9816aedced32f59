"""A session as a device of Home Assistant, announced over the broker that carries its decisions.

One retained message under ``homeassistant/device/.../config`` (MQTT device discovery, Home Assistant 2024.11
or later) names the topics that are published anyway.  A decision's entities expire with its age, all of them
are unavailable while the session is offline, and the alarm entity is about the measurement alone.
"""

import hashlib
import json
import math
import re
from typing import Any

from models.cards.window_card import WindowCard
from realtime.quality.policy import Policy
from realtime.sinks.mqtt.topics import topic
from realtime.status import State

PREFIX = "homeassistant"
"""Where Home Assistant looks unless it is told otherwise."""
SILENT_S = 5
"""Without a heartbeat for so long the session counts as silent, s."""
RESEARCH = "research use only"


def announcement(session: str, card: WindowCard) -> tuple[str, str]:
    """The announcement of a session.

    Parameters
    ----------
    session : str
        Its name.
    card : WindowCard
        Of its bundle.

    Returns
    -------
    str, str
        The topic, and the text (JSON) to be kept there.

    Raises
    ------
    BrokerError
        The session's name cannot be part of a topic.
    """
    name = identifier(session)
    policy = Policy.model_validate(dict(card.policy))
    current = max(1, math.floor(policy.max_age_s))
    decision, status, alarms = topic(session, "decision"), topic(session, "status"), topic(session, "alarms")

    def entity(key: str, title: str, where: str, template: str, **more: Any) -> dict[str, Any]:
        return {
            "platform": "sensor",
            "unique_id": f"{name}-{key}",
            "name": title,
            "state_topic": where,
            "value_template": template,
            **more,
        }

    percent = {"unit_of_measurement": "%", "state_class": "measurement", "expire_after": current}
    components = {
        "state": entity(
            "state", "State", status, "{{ value_json.state }}", device_class="enum", options=list(State)
        ),
        "label": entity(
            "label", f"Label ({RESEARCH})", decision, "{{ value_json.label }}", expire_after=current
        ),
        "probability": entity(
            "probability",
            f"Probability of the likeliest label ({RESEARCH})",
            decision,
            "{{ (value_json.probabilities.values() | max * 100) | round(1) if value_json.probabilities }}",
            **percent,
        ),
        "coverage": entity(
            "coverage", "Measured", decision, "{{ (value_json.coverage * 100) | round(1) }}", **percent
        ),
        "alarms": {
            **entity(
                "alarms",
                "Technical alarm",
                alarms,
                "{{ 'ON' if value_json.alarms | selectattr('until_utc', 'none') | list else 'OFF' }}",
                device_class="problem",
                entity_category="diagnostic",
                json_attributes_topic=alarms,
            ),
            "platform": "binary_sensor",
        },
        "alarm_count": entity(
            "alarm-count",
            "Technical alarms",
            alarms,
            "{{ value_json.alarms | count }}",
            entity_category="diagnostic",
            suggested_display_precision=0,
        ),
        "alive": {
            **entity(
                "alive",
                "Heartbeat",
                topic(session, "alive"),
                "ON",
                device_class="connectivity",
                entity_category="diagnostic",
                expire_after=SILENT_S,
            ),
            "platform": "binary_sensor",
        },
    }
    text = {
        "device": {
            "identifiers": [name],
            "name": f"hemostream {session}",
            "manufacturer": f"hemostream ({RESEARCH})",
            "model": f"{card.model.kind} {card.hash[:12]}",
        },
        "origin": {"name": "hemostream"},
        "availability": [
            {
                "topic": status,
                "value_template": "{{ 'offline' if value_json.state == 'offline' else 'online' }}",
            }
        ],
        "qos": 1,
        "components": components,
    }
    return f"{PREFIX}/device/{name}/config", json.dumps(text, separators=(",", ":"))


def identifier(session: str) -> str:
    """A session's name as Home Assistant takes identifiers: letters, digits, ``_`` and ``-``, unique.

    Parameters
    ----------
    session : str
        The name.
    """
    plain = re.sub(r"[^a-zA-Z0-9_-]", "_", session)[:64]
    if plain == session:
        return f"hemostream-{session}"
    return f"hemostream-{plain}-{hashlib.sha256(session.encode()).hexdigest()[:8]}"
