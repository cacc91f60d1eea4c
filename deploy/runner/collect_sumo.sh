#!/bin/sh
# Copy SUMO and nothing but what it needs: collect_sumo.sh SITE_PACKAGES DESTINATION
#
# The wheel unpacks to about 500 MB, most of it for the GUI and tools that a headless run never loads. `ldd` names the
# shared libraries that the binary really needs; the bundled ones keep their place relative to it
# (its RPATH is $ORIGIN/../../eclipse_sumo.libs), those of the system go to $DESTINATION/syslib.
set -eu
site=$1
destination=$2
binary=$site/sumo/bin/sumo

mkdir -p "$destination/sumo/bin" "$destination/sumo/data" "$destination/eclipse_sumo.libs" "$destination/syslib"
closure=$(ldd "$binary")
if echo "$closure" | grep 'not found'; then
    echo "These libraries are missing: install them first." >&2
    exit 1
fi

echo "$closure" | sed -n 's|.*=> \(/[^ ]*\) .*|\1|p' | while read -r library; do
    # ldd prints the path with its ../.. in it, so only the real path tells where a library lives.
    folder=$(dirname "$(realpath --no-symlinks "$library")")
    case $folder/$(basename "$library") in
        */eclipse_sumo.libs/*) cp -L "$library" "$destination/eclipse_sumo.libs/" ;;
        # The C library belongs to the base image: a second copy beside its loader would not start.
        */libc.so.6 | */libm.so.6 | */libpthread.so.0 | */libdl.so.2 | */librt.so.1 | */libresolv.so.2 | */libutil.so.1) ;;
        *) cp -L "$library" "$destination/syslib/" ;;
    esac
done

cp "$binary" "$destination/sumo/bin/"
for data in xsd proj emissions; do
    if [ -d "$site/sumo/data/$data" ]; then
        cp -R "$site/sumo/data/$data" "$destination/sumo/data/"
    fi
done
chmod -R a+rX "$destination"
du -sm "$destination" | cut -f1 | sed 's/$/ MB of SUMO/'
