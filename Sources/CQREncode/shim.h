#pragma once
// libqrencode, as the distribution ships it: draws the codes that a phone's camera reads from the terminal.
#include <qrencode.h>
