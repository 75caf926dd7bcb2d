sed -i 's/number.zfill(4)/str(number).zfill(4)/' tickets.py
