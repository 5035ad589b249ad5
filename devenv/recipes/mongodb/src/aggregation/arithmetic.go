package aggregation

import (
	"errors"
	"math"
	"time"

	"github.com/FerretDB/FerretDB/internal/types"
)

var errNumbers = errors.New("only supports numeric types")

var arithmetic = map[string]function{
	"$abs":      {1, 1, true, unary(math.Abs)},
	"$add":      {0, -1, true, add},
	"$avg":      {0, -1, false, over(func() accumulator { return new(average) })},
	"$ceil":     {1, 1, true, unary(math.Ceil)},
	"$divide":   {2, 2, true, divide},
	"$exp":      {1, 1, true, real(math.Exp)},
	"$floor":    {1, 1, true, unary(math.Floor)},
	"$ln":       {1, 1, true, real(math.Log)},
	"$log10":    {1, 1, true, real(math.Log10)},
	"$max":      {0, -1, false, over(func() accumulator { return &extreme{sign: 1} })},
	"$min":      {0, -1, false, over(func() accumulator { return &extreme{sign: -1} })},
	"$mod":      {2, 2, true, modulo},
	"$multiply": {0, -1, true, multiply},
	"$pow":      {2, 2, true, power},
	"$round":    {1, 2, true, rounding(math.RoundToEven)},
	"$sqrt":     {1, 1, true, real(math.Sqrt)},
	"$subtract": {2, 2, true, subtract},
	"$sum":      {0, -1, false, over(func() accumulator { return new(sum) })},
	"$trunc":    {1, 2, true, rounding(math.Trunc)},
}

func toFloat(value any) (float64, bool) {
	switch value := value.(type) {
	case int32:
		return float64(value), true
	case int64:
		return float64(value), true
	case float64:
		return value, true
	}
	return 0, false
}

// combine computes with whole numbers as long as both are and the result fits, as mongod does.
func combine(a, b any, whole func(a, b int64) (int64, bool), real func(a, b float64) float64) (any, error) {
	first, isNumber := toFloat(a)
	second, both := toFloat(b)
	if !isNumber || !both {
		return nil, errNumbers
	}
	i, wholeA := toInt(a)
	j, wholeB := toInt(b)
	if wholeA && wholeB {
		if result, fits := whole(i, j); fits {
			_, longA := a.(int64)
			_, longB := b.(int64)
			if longA || longB || result != int64(int32(result)) {
				return result, nil
			}
			return int32(result), nil
		}
	}
	return real(first, second), nil
}

func toInt(value any) (int64, bool) {
	switch value := value.(type) {
	case int32:
		return int64(value), true
	case int64:
		return value, true
	}
	return 0, false
}

func plus(a, b any) (any, error) {
	return combine(a, b,
		func(a, b int64) (int64, bool) { c := a + b; return c, (c > a) == (b > 0) },
		func(a, b float64) float64 { return a + b })
}

func add(values []any) (any, error) {
	var total any = int32(0)
	var date *time.Time
	for _, value := range values {
		if at, ok := value.(time.Time); ok {
			if date != nil {
				return nil, errors.New("only one date allowed")
			}
			date = &at
			continue
		}
		var err error
		if total, err = plus(total, value); err != nil {
			return nil, err
		}
	}
	if date != nil {
		milliseconds, _ := toFloat(total)
		return date.Add(time.Duration(milliseconds) * time.Millisecond), nil
	}
	return total, nil
}

func subtract(values []any) (any, error) {
	if at, ok := values[0].(time.Time); ok {
		if other, ok := values[1].(time.Time); ok {
			return at.Sub(other).Milliseconds(), nil
		}
		milliseconds, ok := toFloat(values[1])
		if !ok {
			return nil, errNumbers
		}
		return at.Add(-time.Duration(milliseconds) * time.Millisecond), nil
	}
	return combine(values[0], values[1],
		func(a, b int64) (int64, bool) { c := a - b; return c, (c < a) == (b > 0) },
		func(a, b float64) float64 { return a - b })
}

func times(a, b any) (any, error) {
	return combine(a, b,
		func(a, b int64) (int64, bool) { c := a * b; return c, a == 0 || c/a == b },
		func(a, b float64) float64 { return a * b })
}

func multiply(values []any) (any, error) {
	var product any = int32(1)
	for _, value := range values {
		var err error
		if product, err = times(product, value); err != nil {
			return nil, err
		}
	}
	return product, nil
}

func divide(values []any) (any, error) {
	a, isNumber := toFloat(values[0])
	b, both := toFloat(values[1])
	if !isNumber || !both {
		return nil, errNumbers
	}
	if b == 0 {
		return nil, errors.New("can't divide by zero")
	}
	return a / b, nil
}

func modulo(values []any) (any, error) {
	if b, ok := toFloat(values[1]); ok && b == 0 {
		return nil, errors.New("can't mod by zero")
	}
	return combine(values[0], values[1], func(a, b int64) (int64, bool) { return a % b, true }, math.Mod)
}

func power(values []any) (any, error) {
	return combine(values[0], values[1], func(a, b int64) (int64, bool) {
		result := math.Pow(float64(a), float64(b))
		return int64(result), b >= 0 && math.Abs(result) < 1<<53
	}, math.Pow)
}

// unary keeps the type of whole numbers.
func unary(run func(float64) float64) func([]any) (any, error) {
	return func(values []any) (any, error) {
		number, ok := toFloat(values[0])
		if !ok {
			return nil, errNumbers
		}
		switch values[0].(type) {
		case int32:
			return int32(run(number)), nil
		case int64:
			return int64(run(number)), nil
		}
		return run(number), nil
	}
}

func real(run func(float64) float64) func([]any) (any, error) {
	return func(values []any) (any, error) {
		number, ok := toFloat(values[0])
		if !ok {
			return nil, errNumbers
		}
		return run(number), nil
	}
}

func rounding(run func(float64) float64) func([]any) (any, error) {
	return func(values []any) (any, error) {
		places := 0.0
		if len(values) == 2 {
			var ok bool
			if places, ok = toFloat(values[1]); !ok {
				return nil, errNumbers
			}
		}
		scale := math.Pow(10, places)
		return unary(func(number float64) float64 { return run(number*scale) / scale })(values)
	}
}

// over makes an accumulator work on the values of one document: several, or one array.
func over(fresh func() accumulator) func([]any) (any, error) {
	return func(values []any) (any, error) {
		if len(values) == 1 {
			if array, ok := values[0].(*types.Array); ok {
				values = items(array)
			}
		}
		state := fresh()
		for _, value := range values {
			state.add(value)
		}
		return state.result(), nil
	}
}
