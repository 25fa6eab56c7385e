"""Days that the annotators must get through."""

import math

from deploy.scaling.model import Scenario

BASE_A_SECOND = 0.04  # 3,456 jobs in a day, 100,000 in a month
HOUR = 3600


def _day(seconds: float) -> float:
    """Most work comes in the afternoon, little at night."""
    return BASE_A_SECOND * (1 + 0.8 * math.sin(2 * math.pi * (seconds / HOUR - 8) / 24))


def _burst(seconds: float) -> float:
    """For half an hour twelve times as much as ever, after two quiet hours."""
    return BASE_A_SECOND * (12 if 2 * HOUR <= seconds < 2.5 * HOUR else 1)


STUDENTS, JOBS_EACH = 100, 3
CLASS_SECONDS = 45 * 60


def _class(seconds: float) -> float:
    """A hundred students with three files each, ever more of them towards the deadline."""
    if not HOUR <= seconds < HOUR + CLASS_SECONDS:
        return BASE_A_SECOND
    mean = STUDENTS * JOBS_EACH / CLASS_SECONDS
    return BASE_A_SECOND + 2 * mean * (seconds - HOUR) / CLASS_SECONDS


SCENARIOS = (
    Scenario("steady day", _day, BASE_A_SECOND * 1.8, hours=24),
    Scenario("12x burst", _burst, BASE_A_SECOND * 12, hours=6),
    Scenario("class of 100", _class, BASE_A_SECOND + 2 * STUDENTS * JOBS_EACH / CLASS_SECONDS, hours=6),
)


def _project(seconds: float) -> float:
    """A study that sends its samples through an afternoon."""
    return BASE_A_SECOND * (15 if HOUR <= seconds < 4 * HOUR else 1)


# Long enough for spot hosts to be interrupted.
PROJECT = Scenario("project, 15x for 3 h", _project, BASE_A_SECOND * 15, hours=6)
