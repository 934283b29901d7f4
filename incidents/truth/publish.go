// Publish puts modules into a module proxy made of files, by the rules that golang.org/x/mod/zip has for zips: the tests build it
// against the copy of that package in the Go distribution at hand.
//
//	publish dir DIR PATH VERSION PROXY      the files of a directory
//	publish git REPOSITORY SUBDIR PROXY     the committed state of a module in a git repository; prints PATH VERSION
package main

import (
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
	"golang.org/x/mod/zip"
)

func main() {
	args := os.Args[1:]
	var err error
	switch {
	case len(args) == 5 && args[0] == "dir":
		dir := args[1]
		gomod, _ := os.ReadFile(filepath.Join(dir, "go.mod"))
		m := module.Version{Path: args[2], Version: args[3]}
		err = publish(args[4], m, gomod, func(to *os.File) error { return zip.CreateFromDir(to, m, dir) })
	case len(args) == 4 && args[0] == "git":
		err = fromGit(args[1], args[2], args[3])
	default:
		err = fmt.Errorf("usage: publish dir DIR PATH VERSION PROXY | publish git REPOSITORY SUBDIR PROXY")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "publish:", err)
		os.Exit(1)
	}
}

func fromGit(repo, subdir, proxy string) error {
	if subdir = path.Clean(subdir); subdir == "." {
		subdir = ""
	}
	show := exec.Command("git", "show", "HEAD:"+path.Join(subdir, "go.mod"))
	show.Dir = repo
	gomod, err := show.Output()
	if err != nil {
		return fmt.Errorf("no go.mod is committed in %q", subdir)
	}
	m := module.Version{Path: modfile.ModulePath(gomod)}
	// Newer than anything that the proxy has.
	_, major, _ := module.SplitPathVersion(m.Path)
	m.Version = "v1.99.0"
	if major != "" {
		m.Version = strings.TrimLeft(major, "/.") + ".99.0"
	}
	if err := module.Check(m.Path, m.Version); err != nil {
		return err
	}
	err = publish(proxy, m, gomod, func(to *os.File) error { return zip.CreateFromVCS(to, m, repo, "HEAD", subdir) })
	if err == nil {
		fmt.Println(m.Path, m.Version)
	}
	return err
}

func publish(proxy string, m module.Version, gomod []byte, create func(*os.File) error) error {
	escaped, err := module.EscapePath(m.Path)
	if err != nil {
		return err
	}
	dir := filepath.Join(proxy, escaped, "@v")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	to, err := os.Create(filepath.Join(dir, m.Version+".zip"))
	if err != nil {
		return err
	}
	if err := create(to); err != nil {
		return err
	}
	if err := to.Close(); err != nil {
		return err
	}
	if len(gomod) == 0 {
		gomod = fmt.Appendf(nil, "module %s\n", m.Path)
	}
	info := fmt.Appendf(nil, `{"Version":%q,"Time":"2024-01-01T00:00:00Z"}`, m.Version)
	old, _ := os.ReadFile(filepath.Join(dir, "list"))
	versions := append(strings.Fields(string(old)), m.Version)
	semver.Sort(versions)
	list := []byte(strings.Join(versions, "\n") + "\n")
	for name, text := range map[string][]byte{m.Version + ".mod": gomod, m.Version + ".info": info, "list": list} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o666); err != nil {
			return err
		}
	}
	return nil
}
