"""Ten kills at random moments: nothing is lost, torn or left behind."""

import pytest

from tests.kills import kill_all


@pytest.mark.stress
def test_killed_work_ends_as_if_nothing_had_happened(tmp_path):
    done = kill_all(tmp_path, ("training", "processes"), 5)
    assert sum(each["killed"] for each in done.values()) == 10
    for about in done.values():
        assert about["status"] == 0 and not about["different"] and not about["strays"]
