#!/bin/sh
# What a reader's machine has and a test's has not: called by the name of the program that it stands for. It does what the lines of the
# pages ask for as far as a test can, on the test's own database and Redis, and refuses every other line.
set -eu

# With files of this machine in the place of those that the pages install.
here() {
    for word; do
        case $word in
        /etc/anser/anser.toml) word=deploy/anser-cluster.toml ;;
        /usr/local/bin/anser) word=anser ;;
        esac
        shift
        set -- "$@" "$word"
    done
    exec "$@"
}

start() {
    (
        sh -c 'echo $$ > node.pid; exec anser serve --json > node.ready' 2> node.log || mv node.log node.failed
        rm node.pid
    ) < /dev/null > /dev/null 2>&1 &
    until [ -s node.ready ]; do
        [ ! -e node.failed ] || { cat node.failed >&2 && exit 1; }
        sleep 0.05
    done
}

stop() {
    [ ! -e node.pid ] || kill "$(cat node.pid)"
    while [ -e node.pid ]; do sleep 0.05; done
    rm -f node.ready
}

case "${0##*/} $*" in
"cargo new "*) exec "$CARGO" "$@" --quiet --vcs none ;;
"cargo add "*) exec "$CARGO" "$@" --offline ;;
"cargo run --release -- "*) shift 3 && exec target/release/anser "$@" ;;
"cargo run") exec env ANSER_TEST_PROGRAM=1 "$READER" --exact docs::readme::the_readme_is_followed --nocapture ;;
"systemctl start anser" | "docker compose -f deploy/compose.yaml up -d") start ;;
"systemctl stop anser" | "docker compose -f deploy/compose.yaml stop node-1 node-2 node-3") stop ;;
"systemd-run "*)
    while [ "${1#--}" != "$1" ]; do shift; done
    here "$@"
    ;;
"sudo -u anser "*) shift 2 && here "$@" ;;
# The image and the compose file themselves: deploy.rs.
"docker build -f deploy/Dockerfile "* | "docker run -d --name anser "*) ;;
"docker exec anser "*) shift 2 && exec "$@" ;;
"docker compose -f deploy/compose.yaml exec -T mariadb sh -c "*) shift 6 && exec "$@" ;;
"docker compose -f deploy/compose.yaml exec -T redis "*) shift 6 && exec "$@" ;;
"docker compose -f deploy/compose.yaml exec node-1 "*) shift 5 && exec "$@" ;;
"docker compose -f deploy/compose.yaml run --rm -T node-1 "*) shift 7 && exec anser "$@" ;;
"redis-cli "*) exec env PATH="${PATH#*:}" redis-cli -p "$REDIS_PORT" "$@" ;;
*) echo "nothing stands in for: ${0##*/} $*" >&2 && exit 2 ;;
esac
