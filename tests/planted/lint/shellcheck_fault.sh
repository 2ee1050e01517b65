#!/bin/sh
folder=$1
ls $folder # planted for shellcheck: SC2086, an expansion without quotes
