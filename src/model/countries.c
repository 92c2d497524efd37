/* Countries and areas of ISO 3166-1 by their three letters, sorted; names as the United Nations writes them.
 * A test holds this table against conf/data/countries.csv. */
#include "inside.h"

#include <string.h>

struct country { char alpha3[4]; const char *name; };

static const struct country countries[] = {
    { "ABW", "Aruba" },
    { "AFG", "Afghanistan" },
    { "AGO", "Angola" },
    { "AIA", "Anguilla" },
    { "ALA", "Åland Islands" },
    { "ALB", "Albania" },
    { "AND", "Andorra" },
    { "ARE", "United Arab Emirates (the)" },
    { "ARG", "Argentina" },
    { "ARM", "Armenia" },
    { "ASM", "American Samoa" },
    { "ATA", "Antarctica" },
    { "ATF", "French Southern Territories" },
    { "ATG", "Antigua and Barbuda" },
    { "AUS", "Australia" },
    { "AUT", "Austria" },
    { "AZE", "Azerbaijan" },
    { "BDI", "Burundi" },
    { "BEL", "Belgium" },
    { "BEN", "Benin" },
    { "BES", "Bonaire, Sint Eustatius and Saba" },
    { "BFA", "Burkina Faso" },
    { "BGD", "Bangladesh" },
    { "BGR", "Bulgaria" },
    { "BHR", "Bahrain" },
    { "BHS", "Bahamas (the)" },
    { "BIH", "Bosnia and Herzegovina" },
    { "BLM", "Saint Barthélemy" },
    { "BLR", "Belarus" },
    { "BLZ", "Belize" },
    { "BMU", "Bermuda" },
    { "BOL", "Bolivia (Plurinational State of)" },
    { "BRA", "Brazil" },
    { "BRB", "Barbados" },
    { "BRN", "Brunei Darussalam" },
    { "BTN", "Bhutan" },
    { "BVT", "Bouvet Island" },
    { "BWA", "Botswana" },
    { "CAF", "Central African Republic (the)" },
    { "CAN", "Canada" },
    { "CCK", "Cocos (Keeling) Islands" },
    { "CHE", "Switzerland" },
    { "CHL", "Chile" },
    { "CHN", "China" },
    { "CIV", "Ivory Coast" },
    { "CMR", "Cameroon" },
    { "COD", "Democratic Republic of the Congo (the)" },
    { "COG", "Congo (the)" },
    { "COK", "Cook Islands (the) **" },
    { "COL", "Colombia" },
    { "COM", "Comoros (the)" },
    { "CPV", "Cabo Verde" },
    { "CRI", "Costa Rica" },
    { "CUB", "Cuba" },
    { "CUW", "Curaçao" },
    { "CXR", "Christmas Island" },
    { "CYM", "Cayman Islands" },
    { "CYP", "Cyprus" },
    { "CZE", "Czechia" },
    { "DEU", "Germany" },
    { "DJI", "Djibouti" },
    { "DMA", "Dominica" },
    { "DNK", "Denmark" },
    { "DOM", "Dominican Republic (the)" },
    { "DZA", "Algeria" },
    { "ECU", "Ecuador" },
    { "EGY", "Egypt" },
    { "ERI", "Eritrea" },
    { "ESH", "Western Sahara" },
    { "ESP", "Spain" },
    { "EST", "Estonia" },
    { "ETH", "Ethiopia" },
    { "FIN", "Finland" },
    { "FJI", "Fiji" },
    { "FLK", "Falkland Islands" },
    { "FRA", "France" },
    { "FRO", "Faroe Islands" },
    { "FSM", "Micronesia (Federated States of)" },
    { "GAB", "Gabon" },
    { "GBR", "United Kingdom of Great Britain and Northern Ireland (the)" },
    { "GEO", "Georgia" },
    { "GGY", "Guernsey" },
    { "GHA", "Ghana" },
    { "GIB", "Gibraltar" },
    { "GIN", "Guinea" },
    { "GLP", "Guadeloupe" },
    { "GMB", "Gambia (the)" },
    { "GNB", "Guinea-Bissau" },
    { "GNQ", "Equatorial Guinea" },
    { "GRC", "Greece" },
    { "GRD", "Grenada" },
    { "GRL", "Greenland" },
    { "GTM", "Guatemala" },
    { "GUF", "French Guiana" },
    { "GUM", "Guam" },
    { "GUY", "Guyana" },
    { "HKG", "China, Hong Kong Special Administrative Region" },
    { "HMD", "Heard Island and McDonald Islands" },
    { "HND", "Honduras" },
    { "HRV", "Croatia" },
    { "HTI", "Haiti" },
    { "HUN", "Hungary" },
    { "IDN", "Indonesia" },
    { "IMN", "Isle of Man" },
    { "IND", "India" },
    { "IOT", "British Indian Ocean Territory" },
    { "IRL", "Ireland" },
    { "IRN", "Iran (Islamic Republic of)" },
    { "IRQ", "Iraq" },
    { "ISL", "Iceland" },
    { "ISR", "Israel" },
    { "ITA", "Italy" },
    { "JAM", "Jamaica" },
    { "JEY", "Jersey" },
    { "JOR", "Jordan" },
    { "JPN", "Japan" },
    { "KAZ", "Kazakhstan" },
    { "KEN", "Kenya" },
    { "KGZ", "Kyrgyzstan" },
    { "KHM", "Cambodia" },
    { "KIR", "Kiribati" },
    { "KNA", "Saint Kitts and Nevis" },
    { "KOR", "Republic of Korea (the)" },
    { "KWT", "Kuwait" },
    { "LAO", "Lao People's Democratic Republic (the)" },
    { "LBN", "Lebanon" },
    { "LBR", "Liberia" },
    { "LBY", "Libya" },
    { "LCA", "Saint Lucia" },
    { "LIE", "Liechtenstein" },
    { "LKA", "Sri Lanka" },
    { "LSO", "Lesotho" },
    { "LTU", "Lithuania" },
    { "LUX", "Luxembourg" },
    { "LVA", "Latvia" },
    { "MAC", "China, Macao Special Administrative Region" },
    { "MAF", "Saint Martin (French Part)" },
    { "MAR", "Morocco" },
    { "MCO", "Monaco" },
    { "MDA", "Republic of Moldova (the)" },
    { "MDG", "Madagascar" },
    { "MDV", "Maldives" },
    { "MEX", "Mexico" },
    { "MHL", "Marshall Islands (the)" },
    { "MKD", "North Macedonia" },
    { "MLI", "Mali" },
    { "MLT", "Malta" },
    { "MMR", "Myanmar" },
    { "MNE", "Montenegro" },
    { "MNG", "Mongolia" },
    { "MNP", "Northern Mariana Islands" },
    { "MOZ", "Mozambique" },
    { "MRT", "Mauritania" },
    { "MSR", "Montserrat" },
    { "MTQ", "Martinique" },
    { "MUS", "Mauritius" },
    { "MWI", "Malawi" },
    { "MYS", "Malaysia" },
    { "MYT", "Mayotte" },
    { "NAM", "Namibia" },
    { "NCL", "New Caledonia" },
    { "NER", "Niger (the)" },
    { "NFK", "Norfolk Island" },
    { "NGA", "Nigeria" },
    { "NIC", "Nicaragua" },
    { "NIU", "Niue **" },
    { "NLD", "Netherlands (the)" },
    { "NOR", "Norway" },
    { "NPL", "Nepal" },
    { "NRU", "Nauru" },
    { "NZL", "New Zealand" },
    { "OMN", "Oman" },
    { "PAK", "Pakistan" },
    { "PAN", "Panama" },
    { "PCN", "Pitcairn" },
    { "PER", "Peru" },
    { "PHL", "Philippines (the)" },
    { "PLW", "Palau" },
    { "PNG", "Papua New Guinea" },
    { "POL", "Poland" },
    { "PRI", "Puerto Rico" },
    { "PRK", "Democratic People's Republic of Korea (the)" },
    { "PRT", "Portugal" },
    { "PRY", "Paraguay" },
    { "PSE", "State of Palestine (the) *" },
    { "PYF", "French Polynesia" },
    { "QAT", "Qatar" },
    { "REU", "Réunion" },
    { "ROU", "Romania" },
    { "RUS", "Russian Federation (the)" },
    { "RWA", "Rwanda" },
    { "SAU", "Saudi Arabia" },
    { "SDN", "Sudan (the)" },
    { "SEN", "Senegal" },
    { "SGP", "Singapore" },
    { "SGS", "South Georgia and the South Sandwich Islands" },
    { "SHN", "Saint Helena" },
    { "SJM", "Svalbard and Jan Mayen Islands" },
    { "SLB", "Solomon Islands" },
    { "SLE", "Sierra Leone" },
    { "SLV", "El Salvador" },
    { "SMR", "San Marino" },
    { "SOM", "Somalia" },
    { "SPM", "Saint Pierre and Miquelon" },
    { "SRB", "Serbia" },
    { "SSD", "South Sudan" },
    { "STP", "Sao Tome and Principe" },
    { "SUR", "Suriname" },
    { "SVK", "Slovakia" },
    { "SVN", "Slovenia" },
    { "SWE", "Sweden" },
    { "SWZ", "Eswatini" },
    { "SXM", "Sint Maarten (Dutch part)" },
    { "SYC", "Seychelles" },
    { "SYR", "Syrian Arab Republic (the)" },
    { "TCA", "Turks and Caicos Islands" },
    { "TCD", "Chad" },
    { "TGO", "Togo" },
    { "THA", "Thailand" },
    { "TJK", "Tajikistan" },
    { "TKL", "Tokelau" },
    { "TKM", "Turkmenistan" },
    { "TLS", "Timor-Leste" },
    { "TON", "Tonga" },
    { "TTO", "Trinidad and Tobago" },
    { "TUN", "Tunisia" },
    { "TUR", "Türkiye" },
    { "TUV", "Tuvalu" },
    { "TWN", "Taiwan" },
    { "TZA", "United Republic of Tanzania (the)" },
    { "UGA", "Uganda" },
    { "UKR", "Ukraine" },
    { "UMI", "United States Minor Outlying Islands" },
    { "URY", "Uruguay" },
    { "USA", "United States of America (the)" },
    { "UZB", "Uzbekistan" },
    { "VAT", "Holy See (the) *" },
    { "VCT", "Saint Vincent and the Grenadines" },
    { "VEN", "Venezuela (Bolivarian Republic of)" },
    { "VGB", "British Virgin Islands" },
    { "VIR", "United States Virgin Islands" },
    { "VNM", "Viet Nam" },
    { "VUT", "Vanuatu" },
    { "WLF", "Wallis and Futuna Islands" },
    { "WSM", "Samoa" },
    { "YEM", "Yemen" },
    { "ZAF", "South Africa" },
    { "ZMB", "Zambia" },
    { "ZWE", "Zimbabwe" },
};

enum { COUNT = sizeof countries / sizeof countries[0] };

_Static_assert(COUNT == 249, "the table holds all of ISO 3166-1");

static const struct country *find(const char alpha3[4])
{
    size_t low = 0, high = COUNT;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strncmp(alpha3, countries[middle].alpha3, 4);
        if (order == 0)
            return &countries[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

bool focal_country_known(const char alpha3[4])
{
    return find(alpha3) != NULL;
}

const char *focal_country_name(const char alpha3[4])
{
    const struct country *country = find(alpha3);
    return country ? country->name : NULL;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* "Netherlands" is meant to be found under "Netherlands (the)". */
static size_t length_without_article(const char *name)
{
    static const char article[] = " (the)";
    size_t len = strlen(name), tail = sizeof article - 1;
    return len > tail && strcmp(name + len - tail, article) == 0 ? len - tail : len;
}

static bool same_but_for_case(const char *a, struct focal_span b)
{
    if (strlen(a) != b.len && length_without_article(a) != b.len)
        return false;
    for (size_t i = 0; i < b.len; i++) {
        if (lower(a[i]) != lower((char)b.data[i]))
            return false;
    }
    return true;
}

const char *focal_model_country_meant(struct focal_span text)
{
    for (size_t i = 0; i < COUNT; i++) {
        if (same_but_for_case(countries[i].alpha3, text) || same_but_for_case(countries[i].name, text))
            return countries[i].alpha3;
    }
    return NULL;
}
