"""What a ride costs at a pinned price (MOB-03)."""

from decimal import ROUND_HALF_UP

from schemas.mobility import VehiclePrice

SECONDS_PER_MINUTE = 60


def fare_minor(price: VehiclePrice, seconds: int) -> int:
    """The fare in minor units: unlock fee and time to the second, rounded half up, once."""
    time_part = price.per_minute_minor * seconds / SECONDS_PER_MINUTE
    return price.unlock_minor + int(time_part.to_integral_value(ROUND_HALF_UP))
