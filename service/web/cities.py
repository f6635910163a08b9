"""Large cities and places of research that are no zone of tzdata's, and what people call countries.

Names stand as they are written in English and German; ``places`` folds accents and capitals.
"""

CITIES: dict[str, str] = {
    "Africa/Johannesburg": "Cape Town, Kapstadt, Pretoria, Durban, Stellenbosch",
    "Africa/Lagos": "Abuja, Ibadan",
    "America/Chicago": "Houston, Dallas, Austin, San Antonio, Minneapolis, Madison, Urbana, "
    "Champaign, St. Louis, Nashville, New Orleans, Milwaukee",
    "America/Denver": "Boulder, Salt Lake City, Albuquerque, Santa Fe, Los Alamos",
    "America/Los_Angeles": "San Francisco, Seattle, San Diego, San Jose, Stanford, Berkeley, "
    "Palo Alto, Mountain View, Menlo Park, Pasadena, Irvine, Santa Barbara, Santa Cruz, "
    "Sacramento, Portland, Las Vegas, Redmond",
    "America/Mexico_City": "Guadalajara, Puebla",
    "America/New_York": "Boston, Cambridge Massachusetts, Washington, Philadelphia, Pittsburgh, "
    "Baltimore, Atlanta, Miami, Princeton, Ithaca, New Haven, Providence, Ann Arbor, Columbus, "
    "Cleveland, Charlotte, Durham, Chapel Hill, Orlando, Tampa, Buffalo, Rochester, Amherst",
    "America/Sao_Paulo": "Rio de Janeiro, Brasilia, Campinas, Belo Horizonte, Porto Alegre",
    "America/Toronto": "Montreal, Ottawa, Quebec, Waterloo, Kingston Ontario",
    "America/Vancouver": "Victoria British Columbia",
    "America/Edmonton": "Calgary, Banff",
    "Asia/Dubai": "Abu Dhabi, Sharjah",
    "Asia/Ho_Chi_Minh": "Hanoi, Da Nang",
    "Asia/Jerusalem": "Tel Aviv, Haifa, Rehovot, Beersheba",
    "Asia/Karachi": "Lahore, Islamabad",
    "Asia/Kolkata": "Delhi, New Delhi, Neu-Delhi, Mumbai, Bombay, Bangalore, Bengaluru, "
    "Hyderabad, Chennai, Madras, Pune, Kanpur, Kharagpur, Calcutta, Kalkutta",
    "Asia/Riyadh": "Jeddah, Dschidda, Thuwal, Riad, Mecca, Mekka",
    "Asia/Seoul": "Daejeon, Busan, Pohang, Ulsan, Gwangju",
    "Asia/Shanghai": "Beijing, Peking, Shenzhen, Guangzhou, Hangzhou, Nanjing, Wuhan, Tianjin, "
    "Chengdu, Xi'an, Hefei, Suzhou, Chongqing, Harbin, Xiamen",
    "Asia/Taipei": "Hsinchu, Tainan",
    "Asia/Tokyo": "Osaka, Kyoto, Kioto, Nagoya, Yokohama, Sapporo, Fukuoka, Tsukuba, Sendai, Nara",
    "Asia/Yekaterinburg": "Jekaterinburg",
    "Australia/Sydney": "Canberra, Newcastle Australia, Wollongong",
    "Europe/Amsterdam": "Rotterdam, Delft, Utrecht, Eindhoven, Leiden, Groningen, The Hague, "
    "Den Haag, Nijmegen",
    "Europe/Berlin": "Munich, München, Hamburg, Cologne, Köln, Frankfurt, Stuttgart, Tübingen, "
    "Heidelberg, Dresden, Leipzig, Düsseldorf, Bonn, Darmstadt, Karlsruhe, Freiburg, Saarbrücken, "
    "Mannheim, Hannover, Hanover, Bremen, Nuremberg, Nürnberg, Göttingen, Potsdam, Aachen, "
    "Münster, Augsburg, Würzburg, Kaiserslautern",
    "Europe/Brussels": "Leuven, Löwen, Louvain, Ghent, Gent, Antwerp, Antwerpen",
    "Europe/Copenhagen": "Aarhus, Odense, Lyngby",
    "Europe/Helsinki": "Espoo, Tampere, Turku, Oulu",
    "Europe/Istanbul": "Ankara, Izmir",
    "Europe/Kyiv": "Kiew, Lviv, Lemberg, Kharkiv, Odesa, Odessa",
    "Europe/Lisbon": "Porto, Coimbra, Braga",
    "Europe/London": "Oxford, Cambridge, Edinburgh, Manchester, Bristol, Glasgow, Birmingham, "
    "Leeds, Sheffield, Cardiff, Southampton, Warwick, Nottingham, Bath, St Andrews",
    "Europe/Madrid": "Barcelona, Valencia, Seville, Sevilla, Bilbao, Granada, Zaragoza",
    "Europe/Moscow": "Saint Petersburg, St. Petersburg, Sankt Petersburg, Kazan",
    "Europe/Oslo": "Bergen, Trondheim",
    "Europe/Paris": "Lyon, Grenoble, Toulouse, Marseille, Nice, Nizza, Strasbourg, Straßburg, "
    "Rennes, Bordeaux, Lille, Nantes, Montpellier, Saclay",
    "Europe/Prague": "Brno, Brünn",
    "Europe/Rome": "Milan, Milano, Mailand, Turin, Torino, Florence, Firenze, Florenz, Naples, "
    "Napoli, Neapel, Bologna, Pisa, Trento, Trient, Venice, Venedig, Genoa, Genua, Padua, Modena",
    "Europe/Stockholm": "Gothenburg, Göteborg, Uppsala, Lund, Linköping, Malmö",
    "Europe/Vienna": "Graz, Linz, Innsbruck, Salzburg, Klosterneuburg, Klagenfurt",
    "Europe/Warsaw": "Krakow, Krakau, Wroclaw, Breslau, Gdansk, Danzig, Poznan, Posen",
    "Europe/Zurich": "Geneva, Genf, Genève, Lausanne, Bern, Basel, Lugano, St. Gallen, Luzern, "
    "Winterthur, Neuchâtel, Fribourg",
    "Pacific/Auckland": "Wellington, Christchurch, Dunedin",
}
"""Zone -> names with commas between them."""

SHORT: dict[str, str] = {
    "usa": "US",
    "us": "US",
    "america": "US",
    "amerika": "US",
    "uk": "GB",
    "england": "GB",
    "scotland": "GB",
    "schottland": "GB",
    "great britain": "GB",
    "grossbritannien": "GB",
    "uae": "AE",
    "holland": "NL",
    "korea": "KR",
}
"""Folded names of countries that CLDR writes in full."""

FIRST = (
    "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles",
    "America/Anchorage", "Pacific/Honolulu", "America/Toronto", "America/Vancouver",
    "America/Edmonton", "America/Winnipeg", "America/Halifax", "America/St_Johns",
)  # fmt: skip
"""Zones of most people first, where tzdata has the rows of a country by map."""
