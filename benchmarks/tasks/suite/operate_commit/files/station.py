SENSORS = ["wind", "rain"]


def names():
    return ", ".join(SENSORS)
