package main

import (
	"context"
	"log/slog"

	"github.com/FerretDB/wire"
	"github.com/FerretDB/wire/wirebson"

	"github.com/FerretDB/FerretDB/internal/clientconn/conninfo"
	"github.com/FerretDB/FerretDB/internal/handler"
	"github.com/FerretDB/FerretDB/internal/handler/handlererrors"
)

// withoutRoles lets a user be made as for mongod. FerretDB refuses roles; here every user may do everything, which
// the log says.
func withoutRoles(inner run) run {
	return func(ctx context.Context, asked *request) (*wire.OpMsg, error) {
		roles, ok := asked.document.Get("roles").(wirebson.AnyArray)
		if !ok {
			return inner(ctx, asked)
		}
		if list, err := roles.Decode(); err != nil || list.Len() == 0 {
			return inner(ctx, asked)
		}
		slog.Warn("Roles are not enforced by this stand-in: every user may do everything",
			"user", asked.document.Get(asked.name), "database", asked.database)
		if err := asked.document.Replace("roles", wirebson.MakeArray(0)); err != nil {
			return nil, err
		}
		changed, err := asked.with(asked.document)
		if err != nil {
			return nil, err
		}
		return inner(ctx, changed)
	}
}

// createRoot makes the administrator of a new server; one that is there already stays as it is.
func createRoot(ferret *handler.Handler, root credentials) error {
	message, err := wire.NewOpMsg(wirebson.MustDocument(
		"createUser", root.user, "pwd", root.password, "roles", wirebson.MakeArray(0), "$db", "admin"))
	if err != nil {
		return err
	}
	_, err = ferret.MsgCreateUser(conninfo.Ctx(context.Background(), conninfo.New()), message)
	if err != nil && handlererrors.ProtocolError(err).Document().Get("code") == int32(handlererrors.ErrUserAlreadyExists) {
		return nil
	}
	return err
}
