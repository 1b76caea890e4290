// Command go-modules reads the licences of what is compiled into Go programs.
//
//	go-modules FOLDER OUTPUT PACKAGE…
//
// FOLDER holds the go.mod, PACKAGE is a package or a pattern such as "tool". OUTPUT receives JSON: one entry for each
// folder with licence files that governs a package. It only reads; licences/check.py judges.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/google/licensecheck"
)

// A licence file of which less than this is known text counts as not recognised.
const minimumCoverage = 90.0

var (
	licenceFile = regexp.MustCompile(`(?i)^(un)?(licen[cs]e|copying)([-._].*)?$`)
	sourceFile  = regexp.MustCompile(`(?i)\.go$`)
	spdxHeader  = regexp.MustCompile(`(?m)^\s*(?://|/\*|\*|#)?\s*SPDX-License-Identifier:\s*(.+?)\s*(?:\*/)?\s*$`)
)

type goPackage struct {
	ImportPath, Dir                          string
	Standard                                 bool
	Module                                   *goModule
	GoFiles                                  []string
	CgoFiles                                 []string
	CFiles, CXXFiles, MFiles, HFiles, SFiles []string
}

type goModule struct {
	Path, Version, Dir string
	Main               bool
	Replace            *goModule
}

type component struct {
	Name     string   `json:"name"`
	Version  string   `json:"version"`
	Licences []string `json:"licences"`
	Files    []string `json:"files"`
}

func main() {
	if len(os.Args) < 4 {
		fmt.Fprintln(os.Stderr, "usage: go-modules FOLDER OUTPUT PACKAGE…")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2], os.Args[3:]); err != nil {
		fmt.Fprintln(os.Stderr, "go-modules:", err)
		os.Exit(1)
	}
}

func run(folder, output string, patterns []string) error {
	packages, err := linked(folder, patterns)
	if err != nil {
		return err
	}
	components := map[string]*component{}
	for _, it := range packages {
		if it.Standard {
			continue
		}
		if it.Module == nil {
			return fmt.Errorf("%s belongs to no module", it.ImportPath)
		}
		if it.Module.Main {
			continue
		}
		if err := add(components, it); err != nil {
			return err
		}
	}
	if len(components) == 0 {
		return fmt.Errorf("%s in %s uses no module", strings.Join(patterns, " "), folder)
	}
	sorted := make([]*component, 0, len(components))
	for _, it := range components {
		slices.Sort(it.Licences)
		sorted = append(sorted, it)
	}
	slices.SortFunc(sorted, func(a, b *component) int { return strings.Compare(a.Name, b.Name) })
	text, err := json.MarshalIndent(sorted, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(output, append(text, '\n'), 0o644)
}

// linked returns the packages that the given ones need, themselves included, for this platform.
func linked(folder string, patterns []string) ([]goPackage, error) {
	fields := "-json=ImportPath,Dir,Standard,Module,GoFiles,CgoFiles,CFiles,CXXFiles,MFiles,HFiles,SFiles"
	command := exec.Command("go", append([]string{"list", "-deps", fields}, patterns...)...)
	command.Dir, command.Stderr = folder, os.Stderr
	pipe, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, err
	}
	var packages []goPackage
	for decoder := json.NewDecoder(pipe); ; {
		var it goPackage
		err := decoder.Decode(&it)
		if errors.Is(err, io.EOF) {
			return packages, command.Wait()
		}
		if err != nil {
			return nil, fmt.Errorf("output of go list: %w", err)
		}
		packages = append(packages, it)
	}
}

// add puts the package into the component of the nearest folder that has licence files.
func add(components map[string]*component, it goPackage) error {
	module := *it.Module
	if replacement := module.Replace; replacement != nil {
		module.Dir = replacement.Dir
		// A folder in the place of a module has a path, but no version.
		if replacement.Version != "" {
			module.Path, module.Version = replacement.Path, replacement.Version
		}
	}
	folder, files, err := nearestLicence(it.Dir, module.Dir)
	if err != nil {
		return err
	}
	relative, err := filepath.Rel(module.Dir, folder)
	if err != nil {
		return err
	}
	name := path.Join(module.Path, filepath.ToSlash(relative))
	found, known := components[name]
	if !known {
		found = &component{Name: name, Version: module.Version, Licences: []string{}, Files: files}
		for _, file := range files {
			text, err := os.ReadFile(filepath.Join(folder, file))
			if err != nil {
				return err
			}
			found.add(licencesOf(text)...)
		}
		components[name] = found
	}
	for _, file := range slices.Concat(it.GoFiles, it.CgoFiles, it.CFiles, it.CXXFiles, it.MFiles, it.HFiles, it.SFiles) {
		text, err := os.ReadFile(absolute(it.Dir, file))
		if err != nil {
			return err
		}
		found.add(headerLicences(text)...)
	}
	return nil
}

// A file that cgo or another tool wrote stands outside its package's folder.
func absolute(folder, file string) string {
	if filepath.IsAbs(file) {
		return file
	}
	return filepath.Join(folder, file)
}

func (it *component) add(licences ...string) {
	for _, licence := range licences {
		if !slices.Contains(it.Licences, licence) {
			it.Licences = append(it.Licences, licence)
		}
	}
}

// nearestLicence goes up from a package's folder to its module's.
func nearestLicence(folder, top string) (string, []string, error) {
	for ; ; folder = filepath.Dir(folder) {
		entries, err := os.ReadDir(folder)
		if err != nil {
			return "", nil, err
		}
		files := []string{}
		for _, entry := range entries {
			if !entry.IsDir() && licenceFile.MatchString(entry.Name()) && !sourceFile.MatchString(entry.Name()) {
				files = append(files, entry.Name())
			}
		}
		if len(files) > 0 || folder == top {
			return folder, files, nil
		}
		if len(folder) < len(top) {
			return "", nil, fmt.Errorf("%s is not below its module's folder %s", folder, top)
		}
	}
}

// licencesOf returns the licences whose text a licence file holds. A link to a licence counts where there is no text.
func licencesOf(text []byte) []string {
	coverage := licensecheck.Scan(text)
	var texts, links []string
	for _, it := range coverage.Match {
		if it.IsURL {
			links = append(links, it.ID)
		} else {
			texts = append(texts, it.ID)
		}
	}
	if len(texts) == 0 {
		texts = links
	}
	if len(texts) == 0 || coverage.Percent < minimumCoverage {
		texts = append(texts, "unrecognised text")
	}
	return texts
}

// headerLicences returns what a source file says of itself above its package clause, or in its first lines where it has none
// (C, C++, assembly).
func headerLicences(text []byte) []string {
	head, _, found := strings.Cut("\n"+string(text), "\npackage ")
	if !found {
		head = head[:min(len(head), 4096)]
	}
	var licences []string
	for _, match := range spdxHeader.FindAllStringSubmatch(head, -1) {
		licences = append(licences, match[1])
	}
	for _, it := range licensecheck.Scan([]byte(head)).Match {
		licences = append(licences, it.ID)
	}
	return licences
}
