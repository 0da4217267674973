// A label has one spelling but for the order of its parts.

import CommandProtocol
import Sealing

func label(_ input: [UInt8]) throws {
    let read = try Label(parsing: text(input))
    hold(read.code.count == 16 && read.seal.count == 32, "a label's code and keys have their sizes")
    let again = try Label(parsing: read.revealText())
    hold(again.revealText() == read.revealText(), "a label written again reads the same")
    hold(again.key == read.key && again.code.matches(read.code), "and holds the same key and code")
}
