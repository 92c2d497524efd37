/* Days, months and quarters of the proleptic Gregorian calendar. */
#include "focal/model.h"

#include <stdio.h>

enum {
    UNIX_EPOCH_DAYS = 719162,           /* from 0001-01-01 to 1970-01-01 */
    DAYS_IN_400_YEARS = 146097,
    DAYS_IN_100_YEARS = 36524,
    DAYS_IN_4_YEARS = 1461,
    YEAR_MAX = 9999,
};

static bool leap(uint32_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static uint32_t month_days(uint32_t year, uint32_t month)
{
    static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    return month == 2 && leap(year) ? 29 : days[month - 1];
}

static uint32_t days_before_year(uint32_t year)
{
    uint32_t full = year - 1;
    return full * 365 + full / 4 - full / 100 + full / 400;
}

static bool digits(uint32_t *out, const uint8_t *text, size_t len)
{
    uint64_t v;
    if (!focal_parse_u64(focal_span_of(text, len), &v))
        return false;
    *out = (uint32_t)v;
    return true;
}

bool focal_date_parse(uint32_t *days_0001, struct focal_span text)
{
    uint32_t year, month, day;
    if (text.len != 10 || text.data[4] != '-' || text.data[7] != '-' || !digits(&year, text.data, 4) ||
        !digits(&month, text.data + 5, 2) || !digits(&day, text.data + 8, 2))
        return false;
    if (year < 1 || month < 1 || month > 12 || day < 1 || day > month_days(year, month))
        return false;
    uint32_t days = days_before_year(year) + day - 1;
    for (uint32_t m = 1; m < month; m++)
        days += month_days(year, m);
    *days_0001 = days;
    return true;
}

void focal_date_parts(uint32_t days_0001, int *year, int *month, int *day)
{
    uint32_t left = days_0001;
    uint32_t y = left / DAYS_IN_400_YEARS * 400;
    left %= DAYS_IN_400_YEARS;
    /* The last day of a leap cycle belongs to the cycle's last century and year, not to one after them. */
    uint32_t centuries = left / DAYS_IN_100_YEARS < 3 ? left / DAYS_IN_100_YEARS : 3;
    left -= centuries * DAYS_IN_100_YEARS;
    uint32_t fours = left / DAYS_IN_4_YEARS;
    left -= fours * DAYS_IN_4_YEARS;
    uint32_t ones = left / 365 < 3 ? left / 365 : 3;
    left -= ones * 365;
    y += centuries * 100 + fours * 4 + ones + 1;
    uint32_t m = 1;
    while (left >= month_days(y, m))
        left -= month_days(y, m++);
    *year = (int)y;
    *month = (int)m;
    *day = (int)left + 1;
}

void focal_date_print(char out[16], uint32_t days_0001)
{
    int year, month, day;
    focal_date_parts(days_0001, &year, &month, &day);
    if (year > YEAR_MAX)
        snprintf(out, 16, "?");
    else
        snprintf(out, 16, "%04u-%02u-%02u", (unsigned)year % 10000, (unsigned)month % 100, (unsigned)day % 100);
}

uint32_t focal_date_from_unix_days(uint32_t days_1970)
{
    return days_1970 > UINT32_MAX - UNIX_EPOCH_DAYS ? UINT32_MAX : days_1970 + UNIX_EPOCH_DAYS;
}

bool focal_quarter_parse(uint32_t *quarter, struct focal_span text)
{
    uint32_t year;
    if (text.len != 7 || text.data[4] != '-' || text.data[5] != 'Q' || text.data[6] < '1' || text.data[6] > '4' ||
        !digits(&year, text.data, 4) || year < 1)
        return false;
    *quarter = year * 4 + (uint32_t)(text.data[6] - '1');
    return true;
}

void focal_quarter_print(char out[12], uint32_t quarter)
{
    uint32_t year = quarter / 4;
    if (year > YEAR_MAX)
        snprintf(out, 12, "?");
    else
        snprintf(out, 12, "%04u-Q%u", (unsigned)year % 10000, (unsigned)(quarter % 4 + 1));
}

uint32_t focal_quarter_of_date(uint32_t days_0001)
{
    int year, month, day;
    focal_date_parts(days_0001, &year, &month, &day);
    return (uint32_t)year * 4 + (uint32_t)(month - 1) / 3;
}
