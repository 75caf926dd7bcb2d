sed -i 's/"mail"/"email"/' people.json contacts.py
