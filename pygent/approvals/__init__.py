"""Who may do what: the policy judges a call, the broker asks a person where the policy does not know."""

from pygent.approvals.base import (
    EFFECTS,
    MODES,
    Action,
    Answer,
    Approver,
    Effect,
    Judged,
    Mode,
    PendingCall,
    Verdict,
)
from pygent.approvals.broker import Approvals, Broker, narrowed
from pygent.approvals.policy import Policy, default_mode
from pygent.approvals.rights import Rights
from pygent.approvals.rules import Rule
from pygent.approvals.wide import too_wide

__all__ = [
    "EFFECTS",
    "MODES",
    "Action",
    "Answer",
    "Approvals",
    "Approver",
    "Broker",
    "Effect",
    "Judged",
    "Mode",
    "PendingCall",
    "Policy",
    "Rights",
    "Rule",
    "Verdict",
    "default_mode",
    "narrowed",
    "too_wide",
]
