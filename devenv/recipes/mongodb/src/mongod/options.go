package main

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"
)

// settings is what the command line and the configuration file asked for.
type settings struct {
	addresses []string
	port      int
	dbPath    string
	auth      bool
	verbose   bool
	version   bool
	expiry    time.Duration // between two looks for expired documents
	ignored   []string      // options that change nothing here
}

// meaning says what an option of mongod's does in this stand-in.
type meaning int

const (
	unknown meaning = iota
	flag            // understood, without a value
	value           // understood, with a value
	ignoredFlag
	ignoredValue
	refused
)

// What a replica set, TLS or a cluster would promise cannot be kept, so asking for them stops the start.
const (
	noReplicaSet = "this stand-in for mongod has no replica set, so neither transactions nor change streams: leave the " +
		"option out if the application needs none, or run MongoDB's own image"
	noTLS      = "this stand-in for mongod has no TLS: leave the option out, or run MongoDB's own image"
	noCluster  = "this stand-in for mongod cannot be part of a cluster: run MongoDB's own image"
	noDaemon   = "run it in the foreground: a container has one process"
	noSecurity = "this stand-in for mongod has neither roles nor encryption at rest: run MongoDB's own image"
)

var options = map[string]meaning{
	"auth": flag, "noauth": flag, "bind_ip": value, "bind_ip_all": flag, "config": value, "dbpath": value,
	"port": value, "setParameter": value, "sslMode": value, "tlsMode": value, "verbose": flag, "version": flag,

	"cpu": ignoredFlag, "directoryperdb": ignoredFlag, "ipv6": ignoredFlag, "journal": ignoredFlag,
	"logappend": ignoredFlag, "nojournal": ignoredFlag, "noprealloc": ignoredFlag, "noscripting": ignoredFlag,
	"notablescan": ignoredFlag, "nounixsocket": ignoredFlag, "objcheck": ignoredFlag, "quiet": ignoredFlag,
	"redactClientLogData": ignoredFlag, "smallfiles": ignoredFlag, "syslog": ignoredFlag,

	"filePermissions": ignoredValue, "journalCommitInterval": ignoredValue, "logRotate": ignoredValue,
	"logpath": ignoredValue, "maxConns": ignoredValue, "networkMessageCompressors": ignoredValue,
	"oplogSize": ignoredValue, "pidfilepath": ignoredValue, "profile": ignoredValue,
	"slowms": ignoredValue, "storageEngine": ignoredValue, "syncdelay": ignoredValue, "timeStampFormat": ignoredValue,
	"timeZoneInfo": ignoredValue, "unixSocketPrefix": ignoredValue, "wiredTigerCacheSizeGB": ignoredValue,
	"wiredTigerCollectionBlockCompressor": ignoredValue, "wiredTigerIndexPrefixCompression": ignoredValue,
	"wiredTigerJournalCompressor": ignoredValue,
}

var refusals = map[string]string{
	"replSet": noReplicaSet, "enableMajorityReadConcern": noReplicaSet, "keyFile": noReplicaSet,
	"shardsvr": noCluster, "configsvr": noCluster, "clusterAuthMode": noCluster, "transitionToAuth": noCluster,
	"enableEncryption": noSecurity, "encryptionKeyFile": noSecurity,
	"fork": noDaemon, "shutdown": noDaemon,
	"tlsCertificateKeyFile": noTLS, "tlsCAFile": noTLS, "sslPEMKeyFile": noTLS, "sslCAFile": noTLS,
}

func parse(arguments []string) (settings, error) {
	parsed := settings{port: 27017, dbPath: "/data/db", expiry: time.Minute}
	for len(arguments) > 0 {
		argument := arguments[0]
		arguments = arguments[1:]
		name, given, hasValue := strings.Cut(strings.TrimPrefix(argument, "--"), "=")
		switch {
		case argument == "-f":
			name = "config"
		case strings.Trim(argument, "v") == "-":
			name = "verbose"
		case argument == "-h" || argument == "--help":
			return parsed, fmt.Errorf("see https://www.mongodb.com/docs/manual/reference/program/mongod/ for the "+
				"options; understood here: %s", strings.Join(namesOf(flag, value), " "))
		case !strings.HasPrefix(argument, "--"):
			return parsed, fmt.Errorf("%s: not an option of mongod's", argument)
		}
		wanted := meaningOf(name)
		if (wanted == value || wanted == ignoredValue) && !hasValue {
			if len(arguments) == 0 {
				return parsed, fmt.Errorf("--%s wants a value", name)
			}
			given, arguments = arguments[0], arguments[1:]
		}
		if err := parsed.apply(name, given, wanted); err != nil {
			return parsed, err
		}
	}
	return parsed, nil
}

func meaningOf(name string) meaning {
	if refusals[name] != "" {
		return refused
	}
	return options[name]
}

func (s *settings) apply(name, given string, wanted meaning) error {
	switch wanted {
	case unknown:
		return fmt.Errorf("--%s: not an option of mongod's that is known here", name)
	case refused:
		return fmt.Errorf("--%s: %s", name, refusals[name])
	case ignoredFlag, ignoredValue:
		s.ignored = append(s.ignored, "--"+name)
		return nil
	}
	switch name {
	case "auth", "noauth":
		s.auth = name == "auth"
	case "verbose":
		s.verbose = true
	case "version":
		s.version = true
	case "bind_ip_all":
		s.addresses = nil
	case "bind_ip":
		s.addresses = strings.Split(given, ",")
	case "dbpath":
		s.dbPath = given
	case "port":
		port, err := strconv.Atoi(given)
		if err != nil || port < 1 || port > 65535 {
			return fmt.Errorf("--port %s: not a port", given)
		}
		s.port = port
	case "sslMode", "tlsMode":
		if given != "disabled" {
			return fmt.Errorf("--%s %s: %s", name, given, noTLS)
		}
	case "setParameter":
		return s.setParameter(given)
	case "config":
		return s.read(given)
	}
	return nil
}

// setParameter knows the one parameter that means something here.
func (s *settings) setParameter(given string) error {
	name, text, _ := strings.Cut(given, "=")
	if name != "ttlMonitorSleepSecs" {
		s.ignored = append(s.ignored, "--setParameter "+name)
		return nil
	}
	seconds, err := strconv.Atoi(text)
	if err != nil || seconds < 1 {
		return fmt.Errorf("--setParameter %s: not a number of seconds", given)
	}
	s.expiry = time.Duration(seconds) * time.Second
	return nil
}

func namesOf(wanted ...meaning) []string {
	var names []string
	for name, meant := range options {
		for _, one := range wanted {
			if meant == one {
				names = append(names, "--"+name)
			}
		}
	}
	return names
}

// listenOn returns the addresses to listen on; without --bind_ip, all of them, as upstream's image does.
func (s *settings) listenOn() []string {
	if len(s.addresses) == 0 {
		return []string{net.JoinHostPort("", strconv.Itoa(s.port))}
	}
	var all []string
	for _, address := range s.addresses {
		if strings.HasPrefix(address, "/") {
			continue // a Unix socket, which nothing outside this container could use
		}
		if address == "*" {
			address = ""
		}
		all = append(all, net.JoinHostPort(address, strconv.Itoa(s.port)))
	}
	return all
}
