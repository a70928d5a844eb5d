"""Who may, where, with which model."""

from __future__ import annotations

import pytest

from bot.rules.servers.access import AccessDenied, Block, DeniedBecause, ServerSettings, check_access, may_use_model
from tests.support.people import asker

GRANTED = [
    (ServerSettings(), {}),
    (ServerSettings(allowed_channels=frozenset({100})), {}),
    (ServerSettings(allowed_channels=frozenset({50})), {"parent_id": 50}),
    (ServerSettings(allowed_channels=frozenset({40})), {"category_id": 40}),
    (ServerSettings(denied_channels=frozenset({101})), {}),
    (ServerSettings(allowed_roles=frozenset({7})), {"role_ids": frozenset({7, 8})}),
    (ServerSettings(allowed_roles=frozenset({10})), {}),  # @everyone
    (ServerSettings(denied_roles=frozenset({7})), {"role_ids": frozenset({8})}),
    (ServerSettings(allowed_models=frozenset({"m"})), {}),
    (ServerSettings(blocked=(Block(2),)), {}),
    (ServerSettings(age_restricted_only=True), {"age_restricted": True}),
]

DENIED = [
    (ServerSettings(paused=True, pause_reason="lunch"), {}, DeniedBecause.PAUSED, "lunch"),
    (ServerSettings(paused=True), {"can_manage": True}, DeniedBecause.PAUSED, ""),
    (ServerSettings(blocked=(Block(1, "spam"),)), {}, DeniedBecause.BLOCKED, "spam"),
    (ServerSettings(allowed_channels=frozenset({101})), {}, DeniedBecause.CHANNEL, "100"),
    (ServerSettings(denied_channels=frozenset({100})), {}, DeniedBecause.CHANNEL, "100"),
    (ServerSettings(denied_channels=frozenset({50})), {"parent_id": 50}, DeniedBecause.CHANNEL, "100"),
    (
        ServerSettings(allowed_channels=frozenset({100}), denied_channels=frozenset({100})),
        {},
        DeniedBecause.CHANNEL,
        "100",
    ),
    (ServerSettings(allowed_roles=frozenset({7})), {}, DeniedBecause.ROLE, ""),
    (
        ServerSettings(allowed_roles=frozenset({7}), denied_roles=frozenset({8})),
        {"role_ids": frozenset({7, 8})},
        DeniedBecause.ROLE,
        "8",
    ),
    (ServerSettings(denied_models=frozenset({"m"}), allowed_models=frozenset({"m"})), {}, DeniedBecause.MODEL, "m"),
    (ServerSettings(allowed_models=frozenset({"other"})), {}, DeniedBecause.MODEL, "m"),
    (ServerSettings(age_restricted_only=True), {}, DeniedBecause.AGE, ""),
]


@pytest.mark.parametrize(("settings", "more"), GRANTED)
def test_what_no_rule_forbids_is_allowed(settings, more):
    check_access(settings, asker(**more), "m")


@pytest.mark.parametrize(("settings", "more", "because", "detail"), DENIED)
def test_a_denial_says_which_rule(settings, more, because, detail):
    with pytest.raises(AccessDenied) as denied:
        check_access(settings, asker(**more), "m")
    assert (denied.value.because, denied.value.detail) == (because, detail)


def test_denied_wins_over_allowed():
    settings = ServerSettings(allowed_models=frozenset({"a", "b"}), denied_models=frozenset({"b"}))
    assert [may_use_model(settings, model) for model in "abc"] == [True, False, False]
