sed -i 's/^\( *\)total += int(digits) \* seconds/&\n\1digits = ""/' duration.py
