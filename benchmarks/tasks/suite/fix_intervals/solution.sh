sed -i 's/(result\[-1\]\[0\], end)/(result[-1][0], max(result[-1][1], end))/' schedule.py
