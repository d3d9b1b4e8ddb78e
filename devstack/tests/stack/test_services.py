"""The table of services agrees with the services."""

from __future__ import annotations

from dataclasses import replace

import pytest

from castor_devstack.stack.services import SERVICES, Service, check


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.capability)
def test_the_table_agrees_with_the_services(service: Service) -> None:
    """Every name, peer and secret of the table exists in the settings of the service itself."""
    assert check(service) == []


def test_a_wrong_table_is_noticed() -> None:
    """A peer that a service has no setting for, or another name, is reported."""
    wrong = replace(SERVICES[1], peers=("twitter-service",))
    assert check(wrong) == ["sentiment_service: no setting TWITTER_URL"]
    assert "no class with service_name" in check(replace(SERVICES[1], name="other-service"))[0]
