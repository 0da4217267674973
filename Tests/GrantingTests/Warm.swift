import AsyncHTTPClient
import Hummingbird
import Testing
