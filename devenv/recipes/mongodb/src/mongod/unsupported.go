package main

import (
	"context"

	"github.com/FerretDB/wire"
	"github.com/FerretDB/wire/wirebson"

	"github.com/FerretDB/FerretDB/internal/handler/handlererrors"
)

// sessionCommands are drivers' housekeeping: without transactions a session holds nothing.
var sessionCommands = map[string]run{
	"endSessions": done, "killAllSessions": done, "killSessions": done, "refreshSessions": done,
	"abortTransaction": refuseTransactionCommand, "commitTransaction": refuseTransactionCommand,
}

var replicaSetCommands = []string{
	"replSetGetConfig", "replSetGetStatus", "replSetInitiate", "replSetReconfig", "replSetStepDown",
}

func done(context.Context, *request) (*wire.OpMsg, error) {
	return wire.NewOpMsg(wirebson.MustDocument("ok", float64(1)))
}

// refuseTransaction answers like a standalone mongod; FerretDB would run the statements one by one and say nothing.
func refuseTransaction(document *wirebson.Document) error {
	if document.Get("startTransaction") == nil && document.Get("autocommit") == nil {
		return nil
	}
	return refusal(handlererrors.ErrIllegalOperation,
		"Transaction numbers are only allowed on a replica set member or mongos (this stand-in has no transactions)")
}

func refuseTransactionCommand(_ context.Context, asked *request) (*wire.OpMsg, error) {
	return nil, refusal(handlererrors.ErrIllegalOperation,
		"%s: Transaction numbers are only allowed on a replica set member or mongos", asked.name)
}

func refuseReplicaSet(context.Context, *request) (*wire.OpMsg, error) {
	return failed(76, "NoReplicationEnabled", "not running with --replSet (this stand-in has no replica sets)")
}

// failed is an answer with one of mongod's codes that FerretDB does not know.
func failed(code int32, name, message string) (*wire.OpMsg, error) {
	return wire.NewOpMsg(wirebson.MustDocument("ok", float64(0), "errmsg", message, "code", code, "codeName", name))
}
