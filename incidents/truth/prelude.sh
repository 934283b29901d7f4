# What the truth of every incident starts from: four functions, one for each environment, that do with the real go what somebody there
# would do, and succeed if it works. An incident may have others of the same names. No network: the module proxy is a directory.
#
#   WORK     the directory of this run          REPO     the repository, as it is here
#   PROXY    the module proxy's directory       PUBLISH  the program made from publish.go
#   PROVE    set: build and link, not only load TEST     set: run tests too

# --- for setup.sh, which runs in REPO before anything is committed ---

# Commits everything but the files named (none: everything).
commit_but() {
	git add -A
	[ $# = 0 ] || git rm -rq --cached --ignore-unmatch -- "$@"
	git commit -qm 'state' --allow-empty
}

# A variable that is set here: NAME=VALUE.
setting() {
	printf "export %s='%s'\n" "${1%%=*}" "${1#*=}" >>"$WORK/exports"
}

# Adds sums to go.sum of the modules in these directories (none: here).
sums() {
	for sums_dir in "${@:-.}"; do
		(cd "$sums_dir" && GOWORK=off go mod download all)
	done
}

# --- what the functions are made of ---

# The directories of the modules that are worked on, from the top of the repository.
members() {
	if [ -f "$REPO/go.work" ]; then
		(cd "$REPO" && sed -n 's/^use[ 	]*\([^( 	].*\)/\1/p; /^use[ 	]*($/,/^)/{/^use/d; /^)/d; s/^[ 	]*//; p;}' go.work | sed 's/[ 	]*\/\/.*//; /^$/d')
	else
		echo .
	fi
}

# Somebody else's home: no settings, empty caches (but compiled packages, which follow from what is compiled).
somebody() {
	export HOME="$WORK/$1/home"
	mkdir -p "$HOME"
}

# A clone of what is committed, at the same distance from the top as nothing else of this machine.
clone() {
	git clone -q --no-local "$REPO" "$WORK/$1/src/repo"
}

# Loads every package of a module with its tests, and compiles them; for another platform (CROSS) only with PROVE. That and TEST go further.
loads() {
	(
		cd "$1"
		if [ -z "${CROSS-}" ] || [ -n "${PROVE-}" ]; then
			go list -test -export ./... >/dev/null
		else
			go list -test -deps ./... >/dev/null
		fi
		[ -z "${PROVE-}" ] || go build -o /dev/null ./...
		[ -z "${TEST-}" ] || [ -n "${CROSS-}" ] || go test ./...
	)
}

# Loads all modules below a directory.
all_load() {
	some=
	for member in $(members); do
		if [ ! -f "$1/$member/go.mod" ]; then
			# Where nothing names it, it is simply not there.
			[ "$1" != "$REPO" ] && [ ! -f "$1/go.work" ] && continue
			echo "no go.mod in $member"
			return 1
		fi
		some=yes
		loads "$1/$member"
	done
	[ -n "$some" ]
}

# Puts files whose paths differ in case only into one another's place, as a file system without case does.
fold_case() {
	git -C "$1" ls-files | awk '{
		n = split($0, part, "/"); key = ""; to = ""
		for (i = 1; i <= n; i++) {
			key = key "/" tolower(part[i])
			if (!(key in name)) name[key] = part[i]
			to = to (i > 1 ? "/" : "") name[key]
		}
		if (to != $0) print $0 "\t" to
	}' | while IFS='	' read -r from to; do
		mkdir -p "$(dirname "$1/$to")"
		mv "$1/$from" "$1/$to"
	done
}

# Whether a version of Go is new enough for the go lines of all modules that are committed.
go_is_enough() {
	for member in $(members); do
		wanted=$(git -C "$REPO" show "HEAD:./${member#./}/go.mod" 2>/dev/null | sed -n 's/^go //p')
		[ "$(printf '%s\n%s\n' "$wanted" "$1" | sort -V | tail -1)" = "$1" ] || {
			echo "$member wants go $wanted, and this is $1"
			return 1
		}
	done
}

# Publishes the committed state of a module, requires it in an otherwise empty one, builds its packages and installs its programs.
consume() {
	place="$WORK/consumer/$(echo "$1" | tr -c 'A-Za-z0-9\n' _)"
	mkdir -p "$place/app"
	cp -r "$PROXY" "$place/proxy"
	published=$("$PUBLISH" git "$WORK/consumer/src/repo" "$1" "$place/proxy")
	(
		export GOPROXY="file://$place/proxy"
		path=${published% *} version=${published#* }
		cd "$place/app"
		go mod init example.test/consumer
		go get "$path/...@$version"
		go list -export "$path/..." >/dev/null
		[ -z "${PROVE-}" ] || go build -o /dev/null "$path/..."
		programs=$(go list -f '{{if eq .Name "main"}}{{.ImportPath}}{{end}}' "$path/...")
		for program in $programs; do
			go install -n "$program@$version" >/dev/null
		done
	)
}

# --- the four environments ---

# The tree as it is, with the settings as they are.
here() {
	all_load "$REPO"
}

# A clone of what is committed, nothing set, nothing cached.
ci() {
	somebody ci
	clone ci
	all_load "$WORK/ci/src/repo"
}

# The clone alone, on a file system without case, without a C compiler, on the common platforms.
colleague() {
	somebody colleague
	clone colleague
	export CGO_ENABLED=0
	all_load "$WORK/colleague/src/repo"
	fold_case "$WORK/colleague/src/repo"
	if [ -n "$(git -C "$WORK/colleague/src/repo" status --porcelain)" ]; then
		all_load "$WORK/colleague/src/repo"
	fi
	native=$(go env GOOS)/$(go env GOARCH)
	export CROSS=yes
	for platform in linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64; do
		[ "$platform" != "$native" ] || continue
		GOOS=${platform%/*} GOARCH=${platform#*/} all_load "$WORK/colleague/src/repo"
	done
}

# Each module as it would be published, required by somebody else.
consumer() {
	somebody consumer
	clone consumer
	# As go has it in its own clones: what .gitattributes says of archives does not count.
	echo '* -export-subst -export-ignore' >"$WORK/consumer/src/repo/.git/info/attributes"
	for member in $(members | sort -u); do
		git -C "$REPO" cat-file -e "HEAD:./${member#./}/go.mod" 2>/dev/null || continue
		consume "$member"
	done
}
