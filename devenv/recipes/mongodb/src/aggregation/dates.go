package aggregation

import (
	"errors"
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // the image has no time zones

	"github.com/FerretDB/FerretDB/internal/types"
)

var dates = map[string]function{
	"$dateAdd":      {1, 1, true, shift(1)},
	"$dateDiff":     {1, 1, true, difference},
	"$dateSubtract": {1, 1, true, shift(-1)},
	"$dateToString": {1, 1, true, dateToString},
	"$dateTrunc":    {1, 1, true, truncate},
	"$dayOfMonth":   {1, 1, true, dated(func(t time.Time) any { return int32(t.Day()) })},
	"$dayOfWeek":    {1, 1, true, dated(func(t time.Time) any { return int32(t.Weekday()) + 1 })},
	"$dayOfYear":    {1, 1, true, dated(func(t time.Time) any { return int32(t.YearDay()) })},
	"$hour":         {1, 1, true, dated(func(t time.Time) any { return int32(t.Hour()) })},
	"$isoDayOfWeek": {1, 1, true, dated(func(t time.Time) any { return int32((t.Weekday()+6)%7) + 1 })},
	"$isoWeek":      {1, 1, true, dated(func(t time.Time) any { _, week := t.ISOWeek(); return int32(week) })},
	"$isoWeekYear":  {1, 1, true, dated(func(t time.Time) any { year, _ := t.ISOWeek(); return int64(year) })},
	"$millisecond":  {1, 1, true, dated(func(t time.Time) any { return int32(t.Nanosecond() / 1e6) })},
	"$minute":       {1, 1, true, dated(func(t time.Time) any { return int32(t.Minute()) })},
	"$month":        {1, 1, true, dated(func(t time.Time) any { return int32(t.Month()) })},
	"$second":       {1, 1, true, dated(func(t time.Time) any { return int32(t.Second()) })},
	"$year":         {1, 1, true, dated(func(t time.Time) any { return int32(t.Year()) })},
}

// moment reads a date, or {date: ..., timezone: ...}, or the field of another name; false means null.
func moment(operand any, field string) (time.Time, bool, error) {
	zone := time.UTC
	if document, ok := operand.(*types.Document); ok {
		if name, ok := part(document, "timezone"); ok {
			var err error
			if zone, err = location(name); err != nil {
				return time.Time{}, false, err
			}
		}
		operand, _ = document.Get(field)
	}
	if isNull(operand) {
		return time.Time{}, false, nil
	}
	if id, ok := operand.(types.ObjectID); ok {
		operand, _ = toDate([]any{id})
	}
	at, ok := operand.(time.Time)
	if !ok {
		return time.Time{}, false, errors.New("requires a date")
	}
	return at.In(zone), true, nil
}

// location knows the names of time zones and offsets like +02:00.
func location(name string) (*time.Location, error) {
	for _, layout := range []string{"-07:00", "-0700", "-07"} {
		if parsed, err := time.Parse(layout, name); err == nil {
			return parsed.Location(), nil
		}
	}
	return time.LoadLocation(name)
}

func dated(run func(time.Time) any) func([]any) (any, error) {
	return func(values []any) (any, error) {
		at, ok, err := moment(values[0], "date")
		if err != nil || !ok {
			return types.Null, err
		}
		return run(at), nil
	}
}

func dateToString(values []any) (any, error) {
	at, ok, err := moment(values[0], "date")
	if err != nil {
		return nil, err
	}
	document, isDocument := values[0].(*types.Document)
	if !isDocument {
		return nil, errors.New("requires an object")
	}
	if !ok {
		other, _ := document.Get("onNull")
		return orNull(other), nil
	}
	format, given := part(document, "format")
	if !given {
		format = "%Y-%m-%dT%H:%M:%S.%LZ"
	}
	year, week := at.ISOWeek()
	var text strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' || i+1 == len(format) {
			text.WriteByte(format[i])
			continue
		}
		i++
		switch format[i] {
		case 'Y':
			fmt.Fprintf(&text, "%04d", at.Year())
		case 'm':
			fmt.Fprintf(&text, "%02d", at.Month())
		case 'd':
			fmt.Fprintf(&text, "%02d", at.Day())
		case 'H':
			fmt.Fprintf(&text, "%02d", at.Hour())
		case 'M':
			fmt.Fprintf(&text, "%02d", at.Minute())
		case 'S':
			fmt.Fprintf(&text, "%02d", at.Second())
		case 'L':
			fmt.Fprintf(&text, "%03d", at.Nanosecond()/1e6)
		case 'j':
			fmt.Fprintf(&text, "%03d", at.YearDay())
		case 'w':
			fmt.Fprintf(&text, "%d", at.Weekday()+1)
		case 'u':
			fmt.Fprintf(&text, "%d", (at.Weekday()+6)%7+1)
		case 'V':
			fmt.Fprintf(&text, "%02d", week)
		case 'G':
			fmt.Fprintf(&text, "%04d", year)
		case 'z':
			text.WriteString(at.Format("-0700"))
		case 'b':
			text.WriteString(at.Format("Jan"))
		case 'B':
			text.WriteString(at.Format("January"))
		case '%':
			text.WriteByte('%')
		default:
			return nil, fmt.Errorf("invalid format character '%%%c'", format[i])
		}
	}
	return text.String(), nil
}

var months = map[string]int{"month": 1, "quarter": 3, "year": 12}

var spans = map[string]time.Duration{
	"millisecond": time.Millisecond, "second": time.Second, "minute": time.Minute, "hour": time.Hour,
}

var days = map[string]int{"day": 1, "week": 7}

func shift(sign int) func([]any) (any, error) {
	return func(values []any) (any, error) {
		at, ok, err := moment(values[0], "startDate")
		if err != nil || !ok {
			return types.Null, err
		}
		unit, _ := part(values[0], "unit")
		given, _ := values[0].(*types.Document).Get("amount")
		amount, isWhole := whole(given)
		if !isWhole {
			return nil, errors.New("requires a whole amount")
		}
		amount *= sign
		switch {
		case months[unit] != 0:
			return addMonths(at, amount*months[unit]).UTC(), nil
		case days[unit] != 0:
			return at.AddDate(0, 0, amount*days[unit]).UTC(), nil
		case spans[unit] != 0:
			return at.Add(time.Duration(amount) * spans[unit]).UTC(), nil
		}
		return nil, fmt.Errorf("unknown time unit %q", unit)
	}
}

// addMonths stays within the month it reaches: January 31 and a month is the last of February.
func addMonths(at time.Time, count int) time.Time {
	moved := at.AddDate(0, count, 0)
	if moved.Day() != at.Day() {
		return moved.AddDate(0, 0, -moved.Day())
	}
	return moved
}

func difference(values []any) (any, error) {
	from, one, err := moment(values[0], "startDate")
	if err != nil {
		return nil, err
	}
	to, two, err := moment(values[0], "endDate")
	if err != nil || !one || !two {
		return types.Null, err
	}
	unit, _ := part(values[0], "unit")
	switch {
	case months[unit] != 0:
		month := func(t time.Time) int { return (t.Year()*12 + int(t.Month()) - 1) / months[unit] }
		return int64(month(to) - month(from)), nil
	case unit == "day":
		return int64(midnight(to).Sub(midnight(from)).Hours() / 24), nil
	case spans[unit] != 0:
		return int64(to.Truncate(spans[unit]).Sub(from.Truncate(spans[unit])) / spans[unit]), nil
	}
	return nil, fmt.Errorf("the unit %q is not implemented in this stand-in", unit)
}

// midnight is the start of the day, as if it were in UTC, where every day has 24 hours.
func midnight(at time.Time) time.Time {
	return time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, time.UTC)
}

func truncate(values []any) (any, error) {
	at, ok, err := moment(values[0], "date")
	if err != nil || !ok {
		return types.Null, err
	}
	if size, err := values[0].(*types.Document).Get("binSize"); err == nil && compare(size, int32(1)) != 0 {
		return nil, errors.New("binSize is not implemented in this stand-in")
	}
	unit, _ := part(values[0], "unit")
	day := time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, at.Location())
	switch {
	case unit == "year":
		day = time.Date(at.Year(), 1, 1, 0, 0, 0, 0, at.Location())
	case unit == "quarter":
		day = time.Date(at.Year(), (at.Month()-1)/3*3+1, 1, 0, 0, 0, 0, at.Location())
	case unit == "month":
		day = time.Date(at.Year(), at.Month(), 1, 0, 0, 0, 0, at.Location())
	case unit == "week":
		day = day.AddDate(0, 0, -int(day.Weekday()))
	case unit == "day":
	case spans[unit] != 0:
		return at.Truncate(spans[unit]).UTC(), nil
	default:
		return nil, fmt.Errorf("unknown time unit %q", unit)
	}
	return day.UTC(), nil
}
