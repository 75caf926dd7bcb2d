import unittest

from schedule import busy_minutes, free, merged


class ScheduleTest(unittest.TestCase):
    def test_meetings_apart(self):
        self.assertEqual(free([(600, 660), (540, 570)], 480, 720), [(480, 540), (570, 600), (660, 720)])

    def test_meetings_that_overlap(self):
        self.assertEqual(merged([(540, 600), (570, 630)]), [(540, 630)])

    def test_no_free_time_inside_of_a_long_meeting(self):
        meetings = [(540, 720), (560, 580), (600, 610)]
        self.assertEqual(free(meetings, 540, 780), [(720, 780)])
        self.assertEqual(busy_minutes(meetings), 180)


if __name__ == "__main__":
    unittest.main()
