package main

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// target is the server, the database and who asks.
type target struct {
	host, port     string
	database       string
	user, password string
	authDatabase   string
}

type wanted struct {
	target  target
	eval    []string
	nodb    bool
	version bool
}

var (
	withValue = []string{
		"apiVersion", "authenticationDatabase", "authenticationMechanism", "eval", "file", "host", "password", "port", "username",
	}
	withoutValue = []string{
		"ipv6", "nodb", "norc", "quiet", "retryWrites", "verbose", "version", "apiStrict", "apiDeprecationErrors",
	}
	short = map[string]string{"-u": "username", "-p": "password", "-f": "file", "-h": "help"}
)

func parseArguments(arguments []string) (wanted, error) {
	found := wanted{target: target{host: "127.0.0.1", port: "27017", database: "test"}}
	var words []string
	for len(arguments) > 0 {
		argument := arguments[0]
		arguments = arguments[1:]
		name, given, hasValue := strings.Cut(strings.TrimPrefix(argument, "--"), "=")
		if long, ok := short[argument]; ok {
			name = long
		} else if !strings.HasPrefix(argument, "-") {
			words = append(words, argument)
			continue
		}
		switch {
		case slices.Contains(withoutValue, name):
		case !slices.Contains(withValue, name):
			return found, fmt.Errorf("%s: %s", argument, usage)
		case !hasValue && len(arguments) == 0:
			return found, fmt.Errorf("%s wants a value", argument)
		case !hasValue:
			given, arguments = arguments[0], arguments[1:]
		}
		found.set(name, given)
		if name == "file" {
			words = append(words, given)
		}
	}
	for i, word := range words {
		if i > 0 || slices.Contains([]string{".js", ".mjs", ".mongodb"}, filepath.Ext(word)) {
			return found, fmt.Errorf("%s: script files are not run; %s", word, usage)
		}
		if err := found.target.address(word); err != nil {
			return found, err
		}
	}
	if found.target.authDatabase == "" {
		found.target.authDatabase = "admin"
	}
	return found, nil
}

func (w *wanted) set(name, given string) {
	switch name {
	case "eval":
		w.eval = append(w.eval, given)
	case "nodb":
		w.nodb = true
	case "version":
		w.version = true
	case "host":
		w.target.host = given
		if host, port, err := net.SplitHostPort(given); err == nil {
			w.target.host, w.target.port = host, port
		}
	case "port":
		w.target.port = given
	case "username":
		w.target.user = given
	case "password":
		w.target.password = given
	case "authenticationDatabase":
		w.target.authDatabase = given
	}
}

// address understands mongodb://USER:PASSWORD@HOST:PORT/DB?authSource=DB, HOST:PORT/DB and DB.
func (t *target) address(word string) error {
	if strings.HasPrefix(word, "mongodb+srv://") {
		return errors.New("mongodb+srv: addresses are not for a server in a container")
	}
	if !strings.Contains(word, "://") {
		if !strings.ContainsAny(word, ":/.") {
			t.database = word
			return nil
		}
		word = "mongodb://" + word
	}
	parsed, err := url.Parse(word)
	if err != nil || parsed.Scheme != "mongodb" || parsed.Hostname() == "" {
		return errors.New("the address is not of the form mongodb://USER:PASSWORD@HOST:PORT/DB")
	}
	t.host = parsed.Hostname()
	if parsed.Port() != "" {
		t.port = parsed.Port()
	}
	if parsed.User != nil {
		t.user = parsed.User.Username()
		t.password, _ = parsed.User.Password()
	}
	if database := strings.Trim(parsed.Path, "/"); database != "" {
		t.database = database
		if t.authDatabase == "" {
			t.authDatabase = database
		}
	}
	if source := parsed.Query().Get("authSource"); source != "" {
		t.authDatabase = source
	}
	return nil
}

// endpoint returns what to dial: while the first start runs its scripts, the server is on a socket only.
func (t *target) endpoint() (network, address string) {
	socket := os.Getenv("DEVENV_MONGOSH_SOCKET")
	if socket != "" && slices.Contains([]string{"127.0.0.1", "localhost", "::1"}, t.host) {
		return "unix", socket
	}
	return "tcp", net.JoinHostPort(t.host, t.port)
}
