package aggregation

import (
	"context"
	"slices"

	"github.com/FerretDB/FerretDB/internal/handler/handlererrors"
	"github.com/FerretDB/FerretDB/internal/types"
)

// Update computes what an update with a pipeline makes of a document.
func Update(ctx context.Context, stages *types.Array, document *types.Document) (*types.Document, error) {
	allowed := []string{"$addFields", "$set", "$project", "$unset", "$replaceRoot", "$replaceWith"}
	for _, item := range items(stages) {
		if specification, ok := item.(*types.Document); ok && !slices.Contains(allowed, specification.Command()) {
			return nil, fail(handlererrors.ErrInvalidOptions, "%s is not allowed to be used within an update", specification.Command())
		}
	}
	run, err := pipeline(stages)
	if err != nil {
		return nil, err
	}
	updated, err := run(ctx, []*types.Document{document.DeepCopy()})
	if err != nil {
		return nil, err
	}
	if id, err := document.Get("_id"); err == nil {
		updated[0].Set("_id", id)
	}
	return updated[0], nil
}
