#!/bin/sh
# Makes the sample that the simulated origins loop: 16 s of a test pattern with a running clock and a quiet tone.
#
# 16 s are 400 pictures and 750 AAC frames exactly, so that one loop follows another without a gap in either track. The
# audio is cut out of the middle of a longer, periodic tone: an encoder's first frames would be heard at every loop.
# One closed group of pictures a second and no B-frames: any second can be joined, and DTS equals PTS.
# Needs ffmpeg with libx264 and a font that fontconfig calls monospace.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

clock="drawtext=font=monospace:fontsize=56:fontcolor=white:box=1:boxcolor=black@0.8:boxborderw=12"
clock="$clock:x=(w-tw)/2:y=h-th-32:text='%{pts\\:hms}'"

ffmpeg -hide_banner -v error -f lavfi -i "testsrc=size=640x360:rate=25:duration=16,$clock" \
  -c:v libx264 -profile:v main -preset veryslow -crf 26 -bf 0 -pix_fmt yuv420p -threads 1 \
  -x264-params keyint=25:min-keyint=25:scenecut=0:open-gop=0 "$work/video.nut"
ffmpeg -hide_banner -v error -f lavfi -i "sine=frequency=440:beep_factor=2:sample_rate=48000:duration=33,volume=0.4" \
  -c:a aac -b:a 64k -ac 1 "$work/tone.nut"
# ADTS has no timestamps: what is read from it starts at 0. MP4 has the decoder configuration that FLV begins with.
ffmpeg -hide_banner -v error -ss 16 -i "$work/tone.nut" -c copy -frames:a 750 "$work/audio.aac"
ffmpeg -hide_banner -v error -i "$work/audio.aac" -c copy "$work/audio.m4a"

set -- -hide_banner -v error -y -i "$work/video.nut" -i "$work/audio.m4a" -map 0:v -map 1:a -c copy -bitexact
ffmpeg "$@" -flvflags no_duration_filesize+no_sequence_end sample.flv
# Not .ts, which is TypeScript here.
ffmpeg "$@" -f segment -segment_format mpegts -segment_time 2 segment-%d.mpegts
