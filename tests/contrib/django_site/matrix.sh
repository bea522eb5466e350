#!/usr/bin/env bash
# The tests of Django, on Django:Python as named or on each pair that is supported:
# matrix.sh FOLDER [4.2:3.11 ...]. One environment for each is made below FOLDER, once.
set -euo pipefail
folder=$(realpath -m "${1:?where do the environments go?}")
pairs=("${@:2}")
[ ${#pairs[@]} -gt 0 ] || pairs=(4.2:3.11 5.2:3.11 5.2:3.13 6.0:3.13)
cd "$(dirname "$0")/../../.."

# Print the interpreter of version $1, or nothing; pyenv's shims answer only for the
# versions that are switched on.
interpreter() {
    local candidate
    for candidate in "python$1" "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$1"*/bin/python; do
        if "$candidate" -c 'import sys; sys.exit("%d.%d" % sys.version_info[:2] != sys.argv[1])' \
            "$1" 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
}

failed=()
for pair in "${pairs[@]}"; do
    django=${pair%:*} python=$(interpreter "${pair#*:}")
    env=$folder/django-${pair/:/-python-}
    printf '\n== Django %s, Python %s\n' "$django" "${pair#*:}"
    if [ -z "$python" ]; then
        failed+=("$pair: no Python ${pair#*:}")
        continue
    fi
    if [ ! -e "$env/.made" ]; then
        "$python" -m venv "$env"
        "$env/bin/python" -m pip install --quiet --upgrade 'pip>=25.1'
        "$env/bin/python" -m pip install --quiet --editable ".[check,cli]" "django~=$django.0" --group test --group servers
        touch "$env/.made"
    fi
    # Other modules may need what is not installed here.
    "$env/bin/python" -m pytest -q -n auto tests/contrib/test_django*.py ||
        failed+=("$pair")
done

printf '\nfailed: %s\n' "${failed[*]:-none}"
[ ${#failed[@]} -eq 0 ]
