# SPDX-License-Identifier: EUPL-1.2
# Shared by the scripts beside it; sourced, not run.
# shellcheck shell=sh
set -eu
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*" >&2; }

# provided PACKAGE: another package that is installed says it is that one, too.
provided() {
    dpkg-query -W -f='${db:Status-Status} ,${Provides},\n' | sed -n 's/^installed //p' |
        tr -d ' ' | grep -Eq ",$1(\\(|,)"
}

# need build|test: installs the Debian packages of that kind that are missing.
need() {
    missing=
    for package in $(awk -v kind="$1" '$1 == kind {print $2}' script/packages); do
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
            provided "$package" || missing="$missing $package"
    done
    [ -z "$missing" ] && return 0
    root=
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || {
            say "These packages are missing; install them as root:$missing"
            exit 2
        }
        root=sudo
    fi
    say "Installing:$missing"
    # shellcheck disable=SC2086 # the list is words
    $root apt-get update -qq && $root env DEBIAN_FRONTEND=noninteractive DEBCONF_NOWARNINGS=yes \
        apt-get install -y -qq -o Dpkg::Use-Pty=0 --no-install-recommends $missing >/dev/null || {
        say "These packages are missing and could not be installed:$missing"
        exit 2
    }
}

# configure_dir NAME [meson option...]: configures build/NAME, once. In CI (the variable CI is set) a
# warning is an error.
configure_dir() {
    name=$1
    shift
    mkdir -p build
    log=build/$name.log
    if [ ! -f "build/$name/build.ninja" ]; then
        meson setup "build/$name" "$@" ${CI:+-Dwerror=true} >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
    elif [ -n "$(find ui/node_modules/.fetched -newer "build/$name/build.ninja" 2>/dev/null)" ]; then
        # The console's tools came after it was configured.
        meson setup --reconfigure "build/$name" >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
    fi
}

# build_dir NAME [meson option...]: configures it and compiles it. Quiet unless it fails.
build_dir() {
    configure_dir "$@"
    ninja -C "build/$1" >"build/$1.log" 2>&1 || { tail -n 60 "build/$1.log" >&2; exit 1; }
}

# What the console is built with, in ui/node_modules. Without the registry, Vaka is built without it.
console_tools() {
    cmp -s ui/package-lock.json ui/node_modules/.fetched && return 0
    mkdir -p build
    if (cd ui && timeout 300 npm ci --ignore-scripts --no-audit --no-fund) >build/npm.log 2>&1; then
        cp ui/package-lock.json ui/node_modules/.fetched
    else
        say "The console's tools cannot be fetched (build/npm.log): Vaka is built without the console"
        rm -rf ui/node_modules
    fi
}

# The npm clients that tests send with, in build/node; their tests are skipped without a network.
node_clients() {
    mkdir -p build/node
    cmp -s tests/integration/node/package-lock.json build/node/fetched && return 0
    rm -f build/node/fetched
    cp tests/integration/node/package.json tests/integration/node/package-lock.json build/node/
    if (cd build/node && timeout 300 npm ci --ignore-scripts --no-audit --no-fund) >build/node.log 2>&1; then
        cp tests/integration/node/package-lock.json build/node/fetched
    else
        say "The npm clients cannot be fetched (build/node.log): their tests are skipped"
        rm -rf build/node/node_modules
    fi
}

# The build that the sanitizers watch is Clang's, and so is the linker: its programs are hundreds.
sanitize_configure() {
    CC=clang CXX=clang++ CC_LD=lld CXX_LD=lld configure_dir sanitize --buildtype=debugoptimized \
        -Db_sanitize=address,undefined -Db_lundef=false -Dfuzz=true
}
