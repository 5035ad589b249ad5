package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/FerretDB/wire"
	"github.com/FerretDB/wire/wirebson"

	"github.com/FerretDB/FerretDB/devenv/aggregation"
	"github.com/FerretDB/FerretDB/internal/clientconn/conninfo"
	"github.com/FerretDB/FerretDB/internal/handler"
	"github.com/FerretDB/FerretDB/internal/handler/handlererrors"
)

// run is one command's implementation.
type run func(context.Context, *request) (*wire.OpMsg, error)

type command struct {
	run       run
	access    access
	anonymous bool
}

// request is a command as a client sent it: the first section decoded one level deep, further ones untouched.
type request struct {
	message  *wire.OpMsg
	document *wirebson.Document
	name     string
	database string
}

// router gives every command to FerretDB, after the checks that FerretDB leaves to nobody.
type router struct {
	commands map[string]command
	locks    *locks
	auth     bool
}

// Commands that mongod answers before a client has authenticated.
var anonymous = map[string]bool{
	"buildInfo": true, "buildinfo": true, "connectionStatus": true, "endSessions": true, "hello": true,
	"isMaster": true, "ismaster": true, "logout": true, "ping": true, "saslContinue": true, "saslStart": true,
	"whatsmyuri": true,
}

var accesses = map[string]access{
	"buildInfo": none, "buildinfo": none, "connectionStatus": none, "getLog": none, "getParameter": none,
	"hello": none, "hostInfo": none, "isMaster": none, "ismaster": none, "logout": none, "ping": none,
	"saslContinue": none, "saslStart": none, "whatsmyuri": none, "killCursors": none,

	"collMod": write, "compact": write, "create": write, "createIndexes": write, "delete": write, "drop": write,
	"dropIndexes": write, "findAndModify": write, "findandmodify": write, "insert": write, "renameCollection": write,
	"update": write,

	"createUser": write, "dropAllUsersFromDatabase": write, "dropUser": write, "updateUser": write,

	"dropDatabase": drop,
}

func newRouter(ferret *handler.Handler, indexes *indexOptions) *router {
	// With this on from the start, FerretDB would refuse everything before a login, also on an open server.
	ferret.EnableNewAuth = true
	aggregation.Register()

	r := &router{commands: map[string]command{}, locks: newLocks()}
	add := func(name string, implementation run) {
		kind, listed := accesses[name]
		if !listed {
			kind = read
		}
		r.commands[name] = command{run: implementation, access: kind, anonymous: anonymous[name]}
	}
	for name, inner := range ferret.Commands() {
		add(name, pass(inner.Handler))
	}
	for name, inner := range map[string]func(context.Context, *wire.OpMsg) (*wire.OpMsg, error){
		"createUser": ferret.MsgCreateUser, "updateUser": ferret.MsgUpdateUser, "dropUser": ferret.MsgDropUser,
		"dropAllUsersFromDatabase": ferret.MsgDropAllUsersFromDatabase, "usersInfo": ferret.MsgUsersInfo,
	} {
		add(name, withoutRoles(pass(inner)))
	}
	resolver := resolver{ferret.Backend}
	for _, name := range []string{"findAndModify", "findandmodify"} {
		add(name, findAndModify(resolver.findAndModify(r.commands[name].run)))
	}
	add("insert", inParts("documents", insertAtOnce, r.commands["insert"].run))
	add("update", inParts("updates", 1, resolver.update(r.commands["update"].run)))
	add("createIndexes", indexes.createIndexes(r.commands["createIndexes"].run))
	add("listIndexes", indexes.listIndexes(r.commands["listIndexes"].run))
	add("aggregate", aggregate(ferret.Backend, r.commands["aggregate"].run))
	for name, implementation := range sessionCommands {
		add(name, implementation)
	}
	for _, name := range replicaSetCommands {
		add(name, refuseReplicaSet)
	}
	return r
}

// pass hands a request to FerretDB as it is.
func pass(inner func(context.Context, *wire.OpMsg) (*wire.OpMsg, error)) run {
	return func(ctx context.Context, asked *request) (*wire.OpMsg, error) { return inner(ctx, asked.message) }
}

// withoutAuth is the same server without passwords, for the time of its preparation.
func (r *router) withoutAuth() *router {
	return &router{commands: r.commands, locks: r.locks}
}

// answer runs one command. The context carries the connection's conninfo and ends with the connection.
func (r *router) answer(ctx context.Context, message *wire.OpMsg) (*wire.OpMsg, error) {
	document, err := message.RawSection0().Decode()
	if err != nil {
		return nil, err
	}
	asked := &request{message: message, document: document, name: document.Command()}
	asked.database, _ = document.Get("$db").(string)
	known, ok := r.commands[asked.name]
	if !ok {
		return nil, refusal(handlererrors.ErrCommandNotFound, "no such command: '%s'", asked.name)
	}
	if r.auth && !known.anonymous && !authenticated(ctx) {
		return nil, refusal(handlererrors.ErrUnauthorized, "Command %s requires authentication", asked.name)
	}
	if err := refuseTransaction(document); err != nil {
		return nil, err
	}
	defer r.locks.take(asked.touches(), known.access)()
	if known.access == write || known.access == drop {
		// A client that goes away must not stop a write between two of its steps.
		ctx = context.WithoutCancel(ctx)
	}
	return known.run(ctx, asked)
}

// authenticated tells whether the connection's SCRAM conversation ended well.
func authenticated(ctx context.Context) bool {
	_, _, conversation, _ := conninfo.Get(ctx).Auth()
	return conversation != nil && conversation.Valid()
}

func refusal(code handlererrors.ErrorCode, format string, arguments ...any) error {
	return handlererrors.NewCommandErrorMsg(code, fmt.Sprintf(format, arguments...))
}

// touches returns the database that the command works on, which is not always the one it is sent to.
func (q *request) touches() string {
	switch q.name {
	case "createUser", "dropAllUsersFromDatabase", "dropUser", "updateUser", "usersInfo":
		return "admin"
	case "renameCollection":
		from, _ := q.document.Get(q.name).(string)
		database, _, _ := strings.Cut(from, ".")
		return database
	}
	return q.database
}

// with returns the request with another document in place of its sections.
func (q *request) with(document *wirebson.Document) (*request, error) {
	message, err := wire.NewOpMsg(document)
	if err != nil {
		return nil, err
	}
	return &request{message: message, document: document, name: q.name, database: q.database}, nil
}
