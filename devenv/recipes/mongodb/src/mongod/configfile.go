package main

import (
	"fmt"
	"os"

	"gopkg.in/yaml.v3"
)

// read takes the settings of a YAML configuration file that have a counterpart among the options.
func (s *settings) read(path string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("--config: %w", err)
	}
	var tree map[string]any
	if err := yaml.Unmarshal(content, &tree); err != nil {
		return fmt.Errorf("--config %s: %w", path, err)
	}
	for key, given := range flatten("", tree) {
		name := configured[key]
		switch {
		case given == "false", name == "auth" && given != "enabled":
			continue
		case name == "":
			s.ignored = append(s.ignored, key)
			continue
		}
		if err := s.apply(name, given, meaningOf(name)); err != nil {
			return fmt.Errorf("%s, %s: %w", path, key, err)
		}
	}
	return nil
}

var configured = map[string]string{
	"net.bindIp": "bind_ip", "net.bindIpAll": "bind_ip_all", "net.port": "port",
	"net.ssl.mode": "sslMode", "net.tls.mode": "tlsMode",
	"processManagement.fork":  "fork",
	"replication.replSetName": "replSet", "sharding.clusterRole": "shardsvr",
	"security.authorization": "auth", "security.enableEncryption": "enableEncryption", "security.keyFile": "keyFile",
	"storage.dbPath": "dbpath",
}

func flatten(prefix string, tree map[string]any) map[string]string {
	flat := map[string]string{}
	for key, item := range tree {
		if branch, ok := item.(map[string]any); ok {
			for name, text := range flatten(prefix+key+".", branch) {
				flat[name] = text
			}
		} else if item != nil {
			flat[prefix+key] = fmt.Sprint(item)
		}
	}
	return flat
}
