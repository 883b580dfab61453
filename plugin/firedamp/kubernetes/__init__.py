"""
The Kubernetes API: verdicts become events on Rollouts and Canaries, whose state tells how releases ended.

Both are asked for in the settings and are no part of any verdict: whoever waits for an answer never waits for
this, and what fails here is logged and counted. The least rights suffice: get and list of Rollouts and
Canaries, create and patch of events.
"""

from firedamp.kubernetes.api import Api
from firedamp.kubernetes.events import Events
from firedamp.kubernetes.finding import Finder, Names
from firedamp.kubernetes.objects import State
from firedamp.kubernetes.settings import KubernetesSettings, Place

__all__ = ["Api", "Events", "Finder", "KubernetesSettings", "Names", "Place", "State"]
