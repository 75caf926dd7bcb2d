sed -i 's/"punctuation": "!"/"punctuation": "!",\n  "greeting": "Hello"/' settings.json
sed -i "s/Good day, {name}/{values['greeting']}, {name}/" greet.py
