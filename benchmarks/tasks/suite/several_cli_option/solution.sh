sed -i 's/def listing(names, upper=False):/def listing(names, upper=False, reverse=False):/; s/key=str.lower)/key=str.lower, reverse=reverse)/' listing.py
sed -i 's/upper=options.upper)/upper=options.upper, reverse=options.reverse)/; s/^    options = /    parser.add_argument("--reverse", action="store_true", help="backwards")\n    options = /' cli.py
