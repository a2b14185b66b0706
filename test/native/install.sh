#!/usr/bin/env bash
# bash test/native/install.sh FOLDER
#
# Copies this checkout to FOLDER and installs its packages there, with @tensorflow/tfjs-node on a native library
# taken from the Python package of TensorFlow. See README.md beside this file.
set -euo pipefail

# The first release whose C API lies in a library of its own, without Python's symbols.
wheel='tensorflow-cpu==2.12.0 --hash=sha256:55685b9a19c8ecb2587fb53914c045b188ed0289a2c6495e4e59d5fb082da9cc'

[ $# = 1 ] || { echo "bash test/native/install.sh FOLDER" >&2; exit 2; }
[ "$(uname -sm)" = 'Linux x86_64' ] || { echo "Only for Linux on x86-64; this is $(uname -sm)." >&2; exit 1; }
mkdir -p "$1"
folder=$(cd "$1" && pwd)
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
[ ! "$folder" -ef . ] || { echo "Name a folder outside this checkout: it is copied there." >&2; exit 2; }
package=$folder/node_modules/@tensorflow/tfjs-node
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

echo "== sources and packages in $folder"
git ls-files -z --cached --others --exclude-standard | tar -c --null --files-from - | tar -x -C "$folder"
(cd "$folder" && npm ci --ignore-scripts --no-audit)

echo "== the native library"
echo "$wheel" >"$scratch/requirements.txt"
python3 -m pip download --quiet --require-hashes --no-deps --only-binary :all: --dest "$scratch" \
  --python-version 3.9 --platform manylinux_2_17_x86_64 --requirement "$scratch/requirements.txt"
python3 - "$scratch"/*.whl "$scratch" <<'EOF'
import sys, zipfile
wheel, folder = zipfile.ZipFile(sys.argv[1]), sys.argv[2]
wanted = ("tensorflow/libtensorflow_", "tensorflow/include/tensorflow/")
wheel.extractall(folder, [name for name in wheel.namelist() if name.startswith(wanted)])
EOF
mkdir -p "$package/deps/lib"
mv "$scratch/tensorflow/include" "$package/deps/"
mv "$scratch"/tensorflow/libtensorflow_*.so.2 "$package/deps/lib/"
ln -s libtensorflow_cc.so.2 "$package/deps/lib/libtensorflow.so"
ln -s libtensorflow_framework.so.2 "$package/deps/lib/libtensorflow_framework.so"

echo "== the addon"
# The headers of Node, where they lie beside it: node-gyp would fetch them.
prefix=$(dirname "$(dirname "$(node -p 'fs.realpathSync(process.execPath)')")")
[ ! -f "$prefix/include/node/node_api.h" ] || export npm_config_nodedir=$prefix
(cd "$package" && npm run --silent build-addon-from-source >"$scratch/build.log" 2>&1) || { cat "$scratch/build.log"; exit 1; }

cd "$folder"
TF_CPP_MIN_LOG_LEVEL=2 node -e "
  const tf = require('@tensorflow/tfjs-node')
  console.log('TensorFlow ' + tf.backend().binding.TF_Version + ' computes in ' + process.cwd())"
