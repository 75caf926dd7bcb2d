from totals import largest, totals

PLAIN = """customer,amount
Ada,10
Grace,5
Ada,7
"""

QUOTED = '''customer,amount
"Miller, Jo",30
Ada,12
"Miller, Jo",4
'''

assert totals(PLAIN) == {"Ada": 17, "Grace": 5}, totals(PLAIN)
assert largest(PLAIN) == "Ada"
assert totals(QUOTED) == {"Miller, Jo": 34, "Ada": 12}, totals(QUOTED)
assert largest(QUOTED) == "Miller, Jo"
print("ok")
